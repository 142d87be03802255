/** Members found and replaced without parsing. */

import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import { elementTexts, findMember, memberText, withMembers } from "#wire/json-scan.ts"

const json = fc.jsonValue({ maxDepth: 4 })
const key = fc.string({ unit: "binary", maxLength: 6 }).filter(text => text !== "__proto__")
const object = fc.dictionary(key, json, { maxKeys: 6 })
const indent = fc.constantFrom(undefined, 1, "\t")

/** What a member's key looks like on the wire, which is how it is named. */
const wireKey = (name: string) => JSON.stringify(name).slice(1, -1)

describe("memberText", () => {
  test("gives the text of every member of any object", () => {
    fc.assert(
      fc.property(object, indent, (value, space) => {
        const text = JSON.stringify(value, null, space)
        for (const [name, member] of Object.entries(value)) {
          expect(JSON.parse(memberText(text, wireKey(name)) ?? "null")).toEqual(JSON.parse(JSON.stringify(member)))
        }
      }),
    )
  })

  test("is undefined for a member that is nested, absent or there twice", () => {
    expect(memberText('{"a":{"b":1},"c":[{"b":2}]}', "b")).toBeUndefined()
    expect(memberText('{"b":1,"b":2}', "b")).toBeUndefined()
    expect(memberText("{}", "b")).toBeUndefined()
  })

  test.each(["", "[1]", '{"a"', '{"a":', '{"a":1', '{"a":"x}', '{"a":1 "b":2}', "{a:1}", "null"])(
    "is undefined for %p, which is no object",
    text => expect(memberText(text, "a")).toBeUndefined(),
  )

  test("keeps numbers and escapes as they stand", () => {
    expect(memberText('{"a": 1.50e+2 ,"b":"\\u00e9\\\\"}', "a")).toBe("1.50e+2")
    expect(memberText('{"a": 1.50e+2 ,"b":"\\u00e9\\\\"}', "b")).toBe('"\\u00e9\\\\"')
  })
})

test("findMember looks at the object in its range only", () => {
  const text = 'data: {"a":1}\n\ndata: {"a":2}'
  expect(findMember(text, { start: 6, end: 13 }, "a")).toEqual({ start: 11, end: 12 })
})

describe("withMembers", () => {
  test("gives what assigning to the parsed object gives", () => {
    fc.assert(
      fc.property(object, indent, key, json, (value, space, name, member) => {
        const text = JSON.stringify(value, null, space)
        const changed = withMembers(text, new Map([[wireKey(name), JSON.stringify(member)]]))
        const fresh = !(name in value) && wireKey(name) !== name
        // A key that needs escaping can be replaced but not added: callers add plain keys only.
        if (fresh) return
        expect(JSON.parse(changed ?? "null")).toEqual(JSON.parse(JSON.stringify({ ...value, [name]: member })))
      }),
    )
  })

  test("leaves every other character alone", () => {
    const text = '{ "a" : 1.0 , "b":[ 1,  2 ], "c":"\\u0041" }'
    expect(withMembers(text, new Map([["b", "[]"]]))).toBe('{ "a" : 1.0 , "b":[], "c":"\\u0041" }')
  })

  test("adds members to an empty object", () => {
    expect(
      withMembers(
        "{}",
        new Map([
          ["a", "1"],
          ["b", "2"],
        ]),
      ),
    ).toBe('{"a":1,"b":2}')
  })
})

test("elementTexts gives the texts of any array's elements", () => {
  fc.assert(
    fc.property(fc.array(json), indent, (value, space) => {
      const elements = elementTexts(JSON.stringify(value, null, space))
      expect(elements?.map(text => JSON.parse(text))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
  expect(elementTexts("[1,2")).toBeUndefined()
  expect(elementTexts("{}")).toBeUndefined()
})
