/** Where a text stops being JSON. */

import { expect, test } from "bun:test"

import fc from "fast-check"

import { findJsonFault, positionAt } from "#accounts/formats/json-fault.ts"

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

test("texts that JSON.parse accepts have no fault", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2, "\t"), (value, indentation) => {
      expect(findJsonFault(JSON.stringify(value, undefined, indentation))).toBeUndefined()
    }),
  )
})

test("a text has a fault exactly when JSON.parse refuses it", () => {
  const pieces = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"a"',
    '"',
    "1",
    "-",
    "01",
    "true",
    "nul",
    " ",
    "\n",
    "\\u00e9",
    "1e5",
    "\u0001",
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 9 }), parts => {
      const text = parts.join("")
      expect(findJsonFault(text) === undefined).toBe(isJson(text))
    }),
    { numRuns: 2000 },
  )
})

test("every cut of a JSON object has its fault at or before the cut", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), (value, cut) => {
      const text = JSON.stringify(value)
      const half = text.slice(0, cut % text.length)
      const fault = findJsonFault(half)
      expect(fault === undefined ? -1 : fault).toBeGreaterThanOrEqual(0)
      expect(fault ?? 0).toBeLessThanOrEqual(half.length)
    }),
  )
})

test("a position counts lines and columns from one", () => {
  expect(positionAt("a\nbc", 0)).toEqual({ line: 1, column: 1 })
  expect(positionAt("a\nbc", 3)).toEqual({ line: 2, column: 2 })
})
