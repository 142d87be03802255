/** JSON that came from outside. */

import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import { parseJsonObject } from "#core/json.ts"

describe("parseJsonObject", () => {
  test("returns the object a text stands for, blanks around it or not", () => {
    expect(parseJsonObject(' \r\n{"a": [1, null], "b": {"c": "é"}}\t')).toEqual({ a: [1, null], b: { c: "é" } })
    expect(parseJsonObject("{}")).toEqual({})
  })

  test.each(["null", "true", "1", '"text"', "[]", '[{"a": 1}]'])("JSON that is no object is undefined: %s", text => {
    expect(parseJsonObject(text)).toBeUndefined()
  })

  test.each([
    "",
    " ",
    "[DONE]",
    "<html></html>",
    '{"a": 1',
    '{"a": 1} {"a": 2}',
    "{a: 1}",
    '{"a": 1,}',
    '\uFEFF{"a": 1}',
  ])("text that is no JSON is undefined: %p", text => {
    expect(parseJsonObject(text)).toBeUndefined()
  })

  test("reads back every object that was written, and never throws on a piece of it", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), (object, cut) => {
        const text = JSON.stringify(object)
        expect(JSON.stringify(parseJsonObject(text))).toBe(text)
        expect(parseJsonObject(text.slice(0, cut % text.length))).toBeUndefined()
      }),
    )
  })
})
