/** String literals as they stand on the wire. */

import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import { type JsonText, jsonTextOf, readJsonText } from "#core/json.ts"
import { literalBody, literalOfBody, literalTextLength, sliceLiteral } from "#wire/json-literal.ts"

const anyText = fc.string({ unit: "binary" })

describe("sliceLiteral", () => {
  test("agrees with JSON.parse about what a string literal is", () => {
    const piece = fc.constantFrom('"', "\\", "u", "0", "F", "g", "n", "/", "\n", "\t", "\u2028", "\ud800", "é", "a")
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), pieces => {
        const text = `"${pieces.join("")}"`
        let isString = true
        try {
          JSON.parse(text)
        } catch {
          isString = false
        }
        expect(sliceLiteral(text, 0, text.length) !== undefined).toBe(isString)
      }),
      { numRuns: 2000 },
    )
  })

  test("takes any text that JSON.stringify writes, out of the middle of another", () => {
    fc.assert(
      fc.property(anyText, text => {
        const literal = JSON.stringify(text)
        expect(sliceLiteral(`{"a":${literal}}`, 5, 5 + literal.length)).toBe(literal as JsonText)
      }),
    )
  })
})

test("joined bodies are the literal of the joined texts", () => {
  fc.assert(
    fc.property(fc.array(anyText), texts => {
      const joined = literalOfBody(texts.map(text => literalBody(jsonTextOf(text))).join(""))
      expect(readJsonText(joined)).toBe(texts.join(""))
    }),
  )
})

test("the text's length is counted without the quotes and escapes", () => {
  fc.assert(fc.property(anyText, text => expect(literalTextLength(jsonTextOf(text))).toBe(text.length)))
})
