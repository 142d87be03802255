/** What is sealed opens with its key at its place, and nowhere else. */

import { expect, test } from "bun:test"

import fc from "fast-check"

import { makeMasterKey } from "#accounts/secrets/master-key.ts"
import { isSealed, makeSealer, type SealPlace } from "#accounts/secrets/seal.ts"
import type { GatewayError } from "#core/errors.ts"

const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes)
const sealer = makeSealer({ key: makeMasterKey(random), random })
const PLACE: SealPlace = { table: "credentials", accountId: "acc_1", field: "secret_json" }

const anyText = fc.string({ unit: "binary", maxLength: 400 }).filter(text => text.isWellFormed())
const anyPlace = fc.record({ table: fc.string(), accountId: fc.string(), field: fc.string() })

function refusal(open: () => string): GatewayError {
  try {
    open()
  } catch (error) {
    return error as GatewayError
  }
  throw new Error("it opened")
}

test("any text comes back from its place", () => {
  fc.assert(
    fc.property(anyText, anyPlace, (text, place) => {
      const sealed = sealer.seal(text, place)
      expect(sealed).toMatch(/^v1:[0-9a-f]{8}:[\w-]{16}:[\w-]{22,}$/)
      expect(isSealed(sealed)).toBe(true)
      expect(sealer.open(sealed, place)).toBe(text)
    }),
  )
})

test("the same text is sealed differently each time", () => {
  const sealed = Array.from({ length: 200 }, () => sealer.seal("text", PLACE))
  expect(new Set(sealed.map(one => one.split(":")[2])).size).toBe(200)
})

test("a sealed text opens at no other place", () => {
  fc.assert(
    fc.property(anyPlace, anyPlace, (from, to) => {
      fc.pre(JSON.stringify(from) !== JSON.stringify(to))
      const sealed = sealer.seal("text", from)
      expect(() => sealer.open(sealed, to)).toThrow("was changed, or belongs to another row")
    }),
  )
})

test("a change anywhere is noticed", () => {
  const sealed = sealer.seal("a secret text of some length", PLACE)
  for (let at = 0; at < sealed.length; at += 1) {
    const other = sealed[at] === "A" ? "B" : "A"
    const changed = sealed.slice(0, at) + other + sealed.slice(at + 1)
    expect(() => sealer.open(changed, PLACE)).toThrow()
  }
  for (const cut of [1, 2, 10, 22, 40]) expect(() => sealer.open(sealed.slice(0, -cut), PLACE)).toThrow()
})

test("another key is named together with the one in use", () => {
  const other = makeSealer({ key: makeMasterKey(random), random })
  const error = refusal(() => other.open(sealer.seal("text", PLACE), PLACE))
  expect(error.message).toBe(
    `The sealed secret_json of acc_1 in credentials was sealed with the key ${sealer.keyId}; the key in use is ${other.keyId}.`,
  )
})

test("no refusal holds any of the text", () => {
  const sealed = sealer.seal("plain-words", PLACE)
  const body = sealed.split(":")[3] ?? ""
  for (const given of ["plain-words", `v2:${sealed.slice(3)}`, `${sealed}A`, sealed.replace("v1", "v9")]) {
    const error = refusal(() => sealer.open(given, PLACE))
    const shown = `${error.message} ${error.hint}`
    expect(error.kind).toBe("internal")
    expect(shown).not.toContain("plain-words")
    expect(shown).not.toContain(body)
  }
})

test("stored JSON is never taken for sealed", () => {
  fc.assert(fc.property(fc.json(), json => expect(isSealed(json)).toBe(false)))
})
