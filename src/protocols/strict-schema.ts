/** Tells whether a schema may be sent as strict: the upstream refuses strict ones that leave anything open. */

import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt } from "#core/json.ts"

/** Keywords that strict schemas may not use. */
const REFUSED = ["oneOf", "allOf", "not", "if", "then", "else", "patternProperties", "dependentSchemas", "prefixItems"]

const MAX_DEPTH = 100

/** True when every object of `schema` requires all its properties and admits no others. */
export function isStrictReady(schema: JsonObject): boolean {
  return schema["type"] === "object" && isClosed(schema, 0)
}

function isClosed(schema: Json | undefined, depth: number): boolean {
  if (!isJsonObject(schema) || depth > MAX_DEPTH) return false
  if (REFUSED.some(keyword => schema[keyword] !== undefined)) return false
  return isClosedObject(schema, depth) && childrenOf(schema).every(child => isClosed(child, depth + 1))
}

function isClosedObject(schema: JsonObject, depth: number): boolean {
  const properties = objectAt(schema, "properties")
  if (properties === undefined) return schema["type"] !== "object"
  if (schema["additionalProperties"] !== false && schema["additionalProperties"] !== undefined) return false
  const required = new Set(arrayAt(schema, "required") ?? [])
  return depth <= MAX_DEPTH && Object.keys(properties).every(name => required.has(name))
}

function childrenOf(schema: JsonObject): readonly Json[] {
  const maps = ["properties", "$defs", "definitions"].flatMap(key => Object.values(objectAt(schema, key) ?? {}))
  const { items } = schema
  return [...maps, ...(arrayAt(schema, "anyOf") ?? []), ...(items === undefined ? [] : [items])]
}
