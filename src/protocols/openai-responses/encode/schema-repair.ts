/** Repairs of function parameter schemas that the upstream would refuse, and the closing of strict ones. */

import { arrayAt, isJsonObject, type Json, type JsonObject, type MutableJsonObject, objectAt } from "#core/json.ts"

import { walkSchema } from "./schema-walk.ts"

const EMPTY_PARAMETERS: JsonObject = { type: "object", properties: {} }

/**
 * Returns parameters the upstream accepts: an object at the root, `properties` on objects, `items` on arrays, a sane
 * `required`. Validation keywords stay. The caller's object is never changed; it is returned itself when it is fine.
 */
export function repairParameters(parameters: Json | undefined, strict: boolean): JsonObject {
  if (!isJsonObject(parameters)) return EMPTY_PARAMETERS
  const visit = (schema: JsonObject): JsonObject => {
    const repaired = repairNode(schema, strict)
    return strict ? closeNode(repaired) : repaired
  }
  return walkSchema(rootObject(parameters), { visit, dropInvalid: true })
}

/** Returns `schema` with `additionalProperties: false` on every object that leaves it open to choice. */
export function closeObjectSchemas(schema: JsonObject): JsonObject {
  return walkSchema(schema, { visit: closeNode, dropInvalid: false })
}

function rootObject(schema: JsonObject): JsonObject {
  // Lists of types are taken for members only; a root of another named type is the client's own mistake.
  return typeof schema["type"] === "string" ? schema : { ...schema, type: "object" }
}

/** What the upstream's engine of regular expressions does not know: lookaround, properties of characters, possessives. */
const FOREIGN_PATTERN = /\(\?(?:[=!>]|<[=!])|\\[pP]\{|[*+?}]\+/

function repairNode(schema: JsonObject, strict: boolean): JsonObject {
  const changes: [string, Json | undefined][] = []
  const pattern = schema["pattern"]
  if (typeof pattern === "string" && FOREIGN_PATTERN.test(pattern)) changes.push(["pattern", undefined])
  if (arrayAt(schema, "enum")?.length === 0) changes.push(["enum", undefined])
  if (schema["type"] === null) changes.push(["type", undefined])
  if (schema["type"] === "object" && objectAt(schema, "properties") === undefined) changes.push(["properties", {}])
  if (isArraySchema(schema) && !hasItems(schema)) changes.push(["items", {}])
  if (schema["required"] !== undefined) changes.push(["required", repairRequired(schema, strict)])
  return applyChanges(schema, changes)
}

function closeNode(schema: JsonObject): JsonObject {
  const describesObject = schema["type"] === "object" || objectAt(schema, "properties") !== undefined
  if (!describesObject || schema["additionalProperties"] !== undefined) return schema
  return { ...schema, additionalProperties: false }
}

function isArraySchema(schema: JsonObject): boolean {
  return schema["type"] === "array" || (arrayAt(schema, "type")?.includes("array") ?? false)
}

function hasItems(schema: JsonObject): boolean {
  const items = schema["items"]
  return items !== undefined && items !== null
}

/** Keeps strings; for strict schemas only names that exist, because the upstream checks the two against each other. */
function repairRequired(schema: JsonObject, strict: boolean): Json | undefined {
  const required = arrayAt(schema, "required")
  if (required === undefined) return undefined
  const properties = objectAt(schema, "properties") ?? {}
  const kept = required.filter(name => typeof name === "string" && (!strict || Object.hasOwn(properties, name)))
  return kept.length === required.length ? schema["required"] : kept
}

function applyChanges(schema: JsonObject, changes: readonly [string, Json | undefined][]): JsonObject {
  const effective = changes.filter(([key, value]) => schema[key] !== value)
  if (effective.length === 0) return schema
  const next: MutableJsonObject = { ...schema }
  for (const [key, value] of effective) {
    if (value === undefined) delete next[key]
    else next[key] = value
  }
  return next
}
