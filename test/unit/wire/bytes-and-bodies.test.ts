/** Byte text, body kinds, header lists and scrubbed texts. */

import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import { bodyKindOf } from "#wire/body-kind.ts"
import { bytesOfByteText, byteTextOf, byteTextOfUtf8, utf8OfByteText } from "#wire/bytes.ts"
import { pickHeaders } from "#wire/header-filter.ts"
import { scrubText } from "#wire/scrub-text.ts"

describe("byte text", () => {
  test("keeps any bytes, also those of a view into a larger buffer", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2 }), bytes => {
        const view = bytes.subarray(1)
        const text = byteTextOf(view)
        expect(text.length).toBe(view.length)
        expect([...bytesOfByteText(text)]).toEqual([...view])
      }),
    )
  })

  test("holds the UTF-8 form of any well-formed text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), text => expect(utf8OfByteText(byteTextOfUtf8(text))).toBe(text)),
    )
  })
})

test.each([
  ["", "undecided"],
  [" \r\n\t", "undecided"],
  ["\uFEFF", "undecided"],
  ["\u00EF\u00BB", "undecided"],
  ["\u00EF\u00BB\u00BF", "undecided"],
  ["\u00EF\u00BB\u00BF {", "json"],
  ['\n {"error":1}', "json"],
  ["[1]", "json"],
  ["  <!DOCTYPE html>", "html"],
  ["event: a", "events"],
  [": comment", "events"],
  ["\uFEFFdata: x", "events"],
] as const)("a body that begins with %p is %s", (head, kind) => expect(bodyKindOf(head)).toBe(kind))

describe("pickHeaders", () => {
  const headers = new Headers({
    "X-Request-Id": "r1",
    "x-codex-primary-used-percent": "4",
    "set-cookie": "a=b",
    "content-encoding": "gzip",
    "cf-ray": "1",
  })

  test("passes what is named and nothing else", () => {
    const allow = { names: new Set(["x-request-id"]), prefixes: ["x-codex-"] }
    expect(pickHeaders(headers, allow)).toEqual({ "x-request-id": "r1", "x-codex-primary-used-percent": "4" })
  })

  test("never passes headers of the connection, the encoding or a session, even when they are named", () => {
    const allow = { names: new Set(["content-encoding", "set-cookie"]), prefixes: ["content-", "set-"] }
    expect(pickHeaders(headers, allow)).toEqual({})
  })
})

describe("scrubText", () => {
  test.each([
    ["jo.doe+x@mail.example.com is over quota", "[e-mail] is over quota"],
    ["Bearer abcdefghijklmnop refused", "Bearer [token] refused"],
    ["key sk-proj-abcdef123456 refused", "key [token] refused"],
    ["token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig refused", "token [token] refused"],
    ["user-AbC123dEf456 and org-12ab34cd56", "[account] and [account]"],
    ["account 0f8fad5b-d9cb-469f-a165-70867728950e", "account [id]"],
    ["Unsupported parameter: top_k", "Unsupported parameter: top_k"],
  ])("%p becomes %p", (text, clean) => expect(scrubText(text)).toBe(clean))

  test("cuts at 2048 characters", () => {
    expect(scrubText("a".repeat(5000)).length).toBe(2048)
  })
})
