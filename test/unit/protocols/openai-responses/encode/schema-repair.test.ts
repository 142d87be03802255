import { describe, expect, test } from "bun:test"

import type { Json, JsonObject } from "#core/json.ts"
import { closeObjectSchemas, repairParameters } from "#protocols/openai-responses/encode/schema-repair.ts"

function repairProperty(schema: Json): Json | undefined {
  const repaired = repairParameters({ type: "object", properties: { p: schema } }, false)
  return (repaired["properties"] as JsonObject)["p"]
}

describe("parameters of loose functions", () => {
  test("missing, null and non-object parameters become an empty object schema", () => {
    for (const parameters of [undefined, null, "x", []]) {
      expect(repairParameters(parameters, false)).toEqual({ type: "object", properties: {} })
    }
  })

  test("a good schema is returned as the very same object", () => {
    const schema = {
      $schema: "x",
      type: "object",
      properties: { a: { type: "array", items: { type: "string", pattern: "^a" } }, b: { enum: [1] } },
      required: ["a"],
      additionalProperties: false,
    }
    expect(repairParameters(schema, false)).toBe(schema)
  })

  test("the root gets its type and its properties", () => {
    expect(repairParameters({ description: "x" }, false)).toEqual({ description: "x", type: "object", properties: {} })
  })

  test("arrays without items get items, at any depth", () => {
    expect(repairProperty({ type: "array" })).toEqual({ type: "array", items: {} })
    expect(repairProperty({ type: ["array", "null"] })).toEqual({ type: ["array", "null"], items: {} })
    expect(repairProperty({ anyOf: [{ type: "array" }, { type: "string" }] })).toEqual({
      anyOf: [{ type: "array", items: {} }, { type: "string" }],
    })
    expect(repairProperty({ type: "array", items: { type: "array", items: null } })).toEqual({
      type: "array",
      items: { type: "array", items: {} },
    })
    expect(
      repairParameters({ type: "object", properties: {}, $defs: { d: { type: "array" } } }, false)["$defs"],
    ).toEqual({ d: { type: "array", items: {} } })
  })

  test("required is cleaned, and names without a property stay", () => {
    expect(repairProperty({ type: "object", properties: {}, required: null })).toEqual({
      type: "object",
      properties: {},
    })
    expect(repairProperty({ type: "object", properties: {}, required: ["x", 7] })).toEqual({
      type: "object",
      properties: {},
      required: ["x"],
    })
  })

  test("a null type is removed and values that are no schemas are dropped, booleans stay", () => {
    expect(repairProperty({ type: null, description: "x" })).toEqual({ description: "x" })
    expect(repairProperty({ type: "object", properties: { a: true, b: ["x"], c: null } })).toEqual({
      type: "object",
      properties: { a: true },
    })
  })

  test("properties named like keywords are data", () => {
    const properties = { type: { type: "string" }, items: { type: "number" }, required: { type: "boolean" } }
    const schema = { type: "object", properties, required: ["type"] }
    expect(repairParameters(schema, false)).toBe(schema)
  })

  test("the caller's object is never changed", () => {
    const schema = Object.freeze({ type: "object", properties: Object.freeze({ a: Object.freeze({ type: "array" }) }) })
    const before = JSON.stringify(schema)
    repairParameters(schema, true)
    expect(JSON.stringify(schema)).toBe(before)
  })

  test("a schema nested a thousand times over is survived", () => {
    let schema: JsonObject = { type: "array" }
    for (let depth = 0; depth < 5000; depth++) schema = { type: "array", items: schema }
    expect(() => repairProperty(schema)).not.toThrow()
  })
})

describe("strict schemas", () => {
  test("objects are closed and required names must exist", () => {
    const parameters = { type: "object", properties: { a: { type: "object" } }, required: ["a", "ghost"] }
    expect(repairParameters(parameters, true)).toEqual({
      type: "object",
      properties: { a: { type: "object", properties: {}, additionalProperties: false } },
      required: ["a"],
      additionalProperties: false,
    })
  })

  test("closing keeps required and an explicit additionalProperties", () => {
    const schema = { type: "object", properties: { a: { type: "object", additionalProperties: true } }, required: [] }
    expect(closeObjectSchemas(schema)).toEqual({ ...schema, additionalProperties: false })
  })
})
