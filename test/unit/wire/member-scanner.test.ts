/** Values of known keys, found without parsing. */

import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import { makeMemberScanner } from "#wire/member-scanner.ts"

const KEYS = ["type", "delta", "index"] as const

function scan(text: string): Readonly<Record<string, string>> | undefined {
  const scanner = makeMemberScanner(KEYS)
  if (!scanner.scan(text, 0, text.length)) return undefined
  const found = KEYS.flatMap((key, at) =>
    scanner.start(at) === -1 ? [] : [[key, text.slice(scanner.start(at), scanner.end(at))] as const],
  )
  return Object.fromEntries(found)
}

describe("a flat object", () => {
  const flat = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
  )
  const value = fc.oneof(flat, fc.constant(null), fc.constant([]), fc.constant({}))
  const key = fc.oneof(fc.constantFrom(...KEYS), fc.stringMatching(/^[a-z_]{1,8}$/))

  test("gives every known value, in any order and with any neighbours", () => {
    fc.assert(
      fc.property(fc.dictionary(key, value, { minKeys: 1 }), object => {
        const found = scan(JSON.stringify(object))
        for (const name of KEYS) {
          expect(found?.[name]).toBe(name in object ? JSON.stringify(object[name]) : (undefined as never))
        }
      }),
    )
  })

  test("may have blanks after colons and commas", () => {
    expect(scan('{"type": "a", "delta": "b", "index": 3}')).toEqual({ type: '"a"', delta: '"b"', index: "3" })
  })
})

test.each([
  ["a nested object", '{"type":"a","x":{"delta":"b"},"delta":"c"}'],
  ["a filled list", '{"type":"a","x":[1],"delta":"c"}'],
  ["an escape in a key", '{"type":"a","del\\u0074a":"c"}'],
  ["a known key twice", '{"delta":"a","delta":"b"}'],
  ["text after the object", '{"delta":"a"}}'],
  ["an end that is missing", '{"delta":"a"'],
  ["a string that does not end", '{"delta":"a'],
  ["blanks before a colon", '{"delta" :"a"}'],
  ["an empty object", "{}"],
  ["a list", '["delta"]'],
  ["nothing", ""],
])("%s is left to the parser", (_name, text) => expect(scan(text)).toBeUndefined())

test("a value that runs past the object's end is not taken from the next one", () => {
  const text = '{"delta":"a\n\n{"delta":"b"}'
  expect(makeMemberScanner(KEYS).scan(text, 0, 11)).toBe(false)
})
