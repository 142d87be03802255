/** Secrets do not come through, wherever they stand. */

import { expect, test } from "bun:test"

import fc from "fast-check"

import { makeLog } from "#telemetry/log.ts"
import { redactText, redactValue } from "#telemetry/redact.ts"

const BASE64 = fc.stringMatching(/^[A-Za-z0-9_-]{12,40}$/)

/** Texts that give themselves away. */
const TELLING_SECRET = fc.oneof(
  fc.tuple(BASE64, BASE64, BASE64).map(([head, body, seal]) => `eyJ${head}.${body}.${seal}`),
  BASE64.map(text => `sk-${text}`),
  BASE64.map(text => `sk-proj-${text}`),
  BASE64.map(text => `rt_${text}`),
)

const SECRET_KEY = fc.constantFrom(
  "authorization",
  "Authorization",
  "access_token",
  "accessToken",
  "refresh_token",
  "refreshToken",
  "id_token",
  "api_key",
  "apiKey",
  "api-keys",
  "x-api-key",
  "set-cookie",
  "password",
  "client_secret",
)

const PLAIN = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null))

/** Puts a value somewhere inside plain data: under keys, in lists, in maps, in errors. */
function buried(seed: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const wrap = fc.constantFrom<(inner: unknown, other: unknown, key: string) => unknown>(
    (inner, other, key) => ({ [key]: inner, other }),
    (inner, other) => [other, inner],
    (inner, _other, key) => new Map([[key, inner]]),
    inner => new Set([inner]),
    inner => Object.assign(new Error("outer"), { inner }),
    inner => new Error("outer", { cause: inner }),
  )
  const layers = fc.array(fc.tuple(wrap, PLAIN, fc.string()), { maxLength: 12 })
  return fc
    .tuple(seed, layers)
    .map(([value, steps]) => steps.reduce<unknown>((inner, [f, o, k]) => f(inner, o, k), value))
}

async function logged(fields: object, message: string, format: "json" | "pretty"): Promise<string> {
  let output = ""
  const destination = {
    write: (line: string) => {
      output += line
    },
  }
  const log = await makeLog({ level: "debug", format, destination, isTerminal: false })
  log.info(fields, message)
  return output
}

for (const format of ["json", "pretty"] as const) {
  test(`a token never appears in ${format} output, whatever it is wrapped in`, async () => {
    const cases = TELLING_SECRET.chain(secret => fc.tuple(fc.constant(secret), buried(fc.constant(secret))))
    await fc.assert(
      fc.asyncProperty(cases, fc.string(), async ([secret, value], text) => {
        const output = await logged({ value }, `${text} ${secret} ${text}`, format)
        expect(output.length).toBeGreaterThan(0)
        expect(output).not.toContain(secret)
      }),
      { numRuns: 150 },
    )
  })
}

test("what stands under a telling key never appears, even if it looks harmless", async () => {
  const harmless = fc.stringMatching(/^zq[a-z]{10,20}$/)
  const cases = fc
    .tuple(harmless, SECRET_KEY)
    .chain(([secret, key]) => fc.tuple(fc.constant(secret), buried(fc.constant({ [key]: secret }))))
  await fc.assert(
    fc.asyncProperty(cases, async ([secret, value]) => {
      expect(await logged({ value }, "message", "json")).not.toContain(secret)
    }),
    { numRuns: 150 },
  )
})

test("a key of an object, an error's message and stack, and an address are cleaned too", () => {
  const secret = "sk-proj-abcdefghijk"
  const output = JSON.stringify(
    redactValue({ [secret]: 1, error: new Error(`bad ${secret}`), url: new URL("socks5://user:hunter2@host:1080/x") }),
  )
  expect(output).not.toContain(secret)
  expect(output).not.toContain("hunter2")
  expect(output).toContain("socks5://***@host:1080")
})

test("a bearer header inside a text loses its token and keeps its surroundings", () => {
  expect(redactText("sent authorization: Bearer abc.def-1 to host")).toBe("sent authorization: [redacted] to host")
})

test("token counts, ids and ordinary words stay", () => {
  const fields = {
    inputTokens: 12,
    outputTokens: 3,
    account: "acc_0123456789abcdef",
    model: "gpt-5.1-codex-max",
    note: "risk-based ask-anything",
    nested: { list: [1, "two", null, true] },
  }
  expect(redactValue(fields)).toEqual(fields)
})

test("cycles, bytes, functions and big numbers end up as short words", () => {
  const loop: { self?: unknown; bytes: Uint8Array; run: () => void; big: bigint } = {
    bytes: new Uint8Array(3),
    run: () => {},
    big: 9n,
  }
  loop.self = loop
  const text = JSON.stringify(redactValue(loop))
  expect(text).toContain("[too deep]")
  expect(text).toContain("[3 bytes]")
  expect(text).toContain('"big":"9"')
})
