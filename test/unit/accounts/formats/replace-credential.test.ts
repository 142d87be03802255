/** Rotated credentials in the text of their files. */

import { expect, test } from "bun:test"

import fc from "fast-check"

import { replaceCredential } from "#accounts/formats/replace-credential.ts"

const NEW = {
  type: "chatgpt",
  accessToken: "new-at",
  refreshToken: "new-rt",
  expiresAtMs: 1_900_000_000_000,
  lastRefreshAtMs: 1_800_000_000_000,
  generation: 1,
} as const

function replace(text: string): string | undefined {
  return replaceCredential(text, { credential: NEW, holdsOld: token => token === "old-rt" })
}

test("aliases, notation of times, unknown keys, key order and indentation stay", () => {
  const text =
    '{\n    "rk": "old-rt",\n    "note": {"a": [1]},\n    "expired": 1700000000,\n    "access_token": "old",\n    "last_refresh": 1700000000000\n}\n'
  const entry = {
    rk: "new-rt",
    note: { a: [1] },
    expired: 1_900_000_000,
    access_token: "new-at",
    last_refresh: 1_800_000_000_000,
  }
  expect(replace(text)).toBe(`${JSON.stringify(entry, undefined, 4)}\n`)
})

test("in NDJSON only the one line changes", () => {
  const lines = [
    "# mine",
    '{"rk":"other"}',
    '{"access_token":"a","rk":"old-rt","expired":1,"last_refresh":1}',
    "",
    "# end",
  ]
  const changed = replace(lines.join("\r\n"))?.split("\r\n")
  expect(changed).toEqual([
    ...lines.slice(0, 2),
    '{"access_token":"new-at","rk":"new-rt","expired":1900000000,"last_refresh":1800000000}',
    ...lines.slice(3),
  ])
})

test("entries of an array that cannot be read survive the rewrite", () => {
  const changed = replace('[17,{"rk":"old-rt","access_token":"a"},{"type":"gemini","x":1}]')
  expect(JSON.parse(changed ?? "")).toMatchObject([
    17,
    { rk: "new-rt", access_token: "new-at" },
    { type: "gemini", x: 1 },
  ])
})

test("a file that no longer holds the used-up token is left alone", () => {
  expect(replace('{"refresh_token":"somebody-elses","access_token":"a"}')).toBeUndefined()
})

test("whatever else an entry holds is still there afterwards", () => {
  const extra = fc.dictionary(
    fc.string().map(name => `x_${name}`),
    fc.jsonValue(),
    { maxKeys: 5 },
  )
  fc.assert(
    fc.property(extra, fc.constantFrom(undefined, 2), (others, indentation) => {
      const text = JSON.stringify({ ...others, refresh_token: "old-rt", access_token: "a" }, undefined, indentation)
      const { refresh_token, access_token, last_refresh, expired, ...rest } = JSON.parse(replace(text) ?? "") as Record<
        string,
        unknown
      >
      expect(JSON.stringify(rest)).toBe(JSON.stringify(JSON.parse(JSON.stringify(others))))
      expect([refresh_token, access_token]).toEqual(["new-rt", "new-at"])
      expect([last_refresh, expired].every(time => typeof time === "string")).toBe(true)
    }),
  )
})
