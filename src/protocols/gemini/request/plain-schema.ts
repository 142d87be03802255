/** Schemas in the OpenAPI subset of this dialect → JSON Schema. Only keywords are touched, never property names. */

import { isJsonObject, type Json, type JsonObject, type MutableJsonObject } from "#core/json.ts"

/** Say nothing to our upstreams. */
const DROPPED: ReadonlySet<string> = new Set(["example", "propertyOrdering", "title", "$schema", "nullable"])

/** 64-bit integers, which are written as text. */
const COUNTS: ReadonlySet<string> = new Set([
  "minItems",
  "maxItems",
  "minLength",
  "maxLength",
  "minProperties",
  "maxProperties",
])

const MAPS: ReadonlySet<string> = new Set(["properties", "$defs", "definitions", "patternProperties"])
const LISTS: ReadonlySet<string> = new Set(["anyOf", "oneOf", "allOf", "prefixItems"])
const SINGLES: ReadonlySet<string> = new Set(["items", "additionalProperties", "not"])

/** Returns the schema; lower-case types, numbers as numbers, `nullable` as a type. */
export function plainSchema(schema: JsonObject): JsonObject {
  const plain: MutableJsonObject = {}
  for (const [key, value] of Object.entries(schema)) {
    const converted = convert(key, value)
    if (converted !== undefined) plain[key] = converted
  }
  if (plain["type"] === "object" && !isJsonObject(plain["properties"])) plain["properties"] = {}
  const typed = numericEnum(plain)
  return schema["nullable"] === true ? withNull(typed) : typed
}

function convert(key: string, value: Json): Json | undefined {
  if (DROPPED.has(key)) return undefined
  if (key === "type") return typeOf(value)
  if (key === "format") return value === "enum" ? undefined : value
  if (COUNTS.has(key)) return typeof value === "string" ? Number(value) : value
  if (MAPS.has(key) && isJsonObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, childOf(child)]))
  }
  if (LISTS.has(key) && Array.isArray(value)) return value.map(childOf)
  return SINGLES.has(key) ? childOf(value) : value
}

function childOf(value: Json): Json {
  return isJsonObject(value) ? plainSchema(value) : value
}

function typeOf(value: Json): Json | undefined {
  if (value === "TYPE_UNSPECIFIED") return undefined
  if (Array.isArray(value)) return value.map(type => (typeof type === "string" ? type.toLowerCase() : type))
  return typeof value === "string" ? value.toLowerCase() : value
}

/** Enums of this dialect are always texts. */
function numericEnum(schema: JsonObject): JsonObject {
  const values = schema["enum"]
  if (!Array.isArray(values) || (schema["type"] !== "integer" && schema["type"] !== "number")) return schema
  return { ...schema, enum: values.map(value => (typeof value === "string" ? Number(value) : value)) }
}

function withNull(schema: JsonObject): JsonObject {
  const { type, enum: values, anyOf } = schema
  return {
    ...schema,
    ...(typeof type === "string" && { type: [type, "null"] }),
    ...(Array.isArray(values) && !values.includes(null) && { enum: [...values, null] }),
    ...(Array.isArray(anyOf) && { anyOf: [...anyOf, { type: "null" }] }),
  }
}
