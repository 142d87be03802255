/** Rewrites a JSON schema bottom-up without touching the caller's object; unchanged branches are shared. */

import { isJsonObject, type Json, type JsonObject } from "#core/json.ts"

/** What happens at each schema object, after its children. Return the argument itself when nothing changes. */
export type SchemaVisit = {
  readonly visit: (schema: JsonObject) => JsonObject
  /** Drop values that stand where a schema must stand and are neither an object nor a boolean. */
  readonly dropInvalid: boolean
}

/** Keywords whose value maps names to schemas. The names are data: a property may be called `type`. */
const MAP_KEYWORDS: ReadonlySet<string> = new Set([
  "properties",
  "patternProperties",
  "dependentSchemas",
  "$defs",
  "definitions",
])

const LIST_KEYWORDS: ReadonlySet<string> = new Set(["prefixItems", "allOf", "anyOf", "oneOf"])

const SINGLE_KEYWORDS: ReadonlySet<string> = new Set([
  "additionalProperties",
  "not",
  "if",
  "then",
  "else",
  "propertyNames",
  "contains",
])

/** No hand-written schema comes near; it keeps a hostile one from exhausting the stack. */
const MAX_DEPTH = 200

/** Returns `schema` rewritten; the same object when no visit changed anything. */
export function walkSchema(schema: JsonObject, how: SchemaVisit, depth = 0): JsonObject {
  if (depth > MAX_DEPTH) return schema
  return how.visit(mapMembers(schema, (keyword, value) => walkKeyword(keyword, value, how, depth + 1)))
}

/** Returns `object` with each member replaced, undefined members left out; the object itself when nothing changed. */
function mapMembers(object: JsonObject, replace: (key: string, value: Json) => Json | undefined): JsonObject {
  let next: [string, Json][] | undefined
  const keys = Object.keys(object)
  for (const [index, key] of keys.entries()) {
    const value = object[key] ?? null
    const replaced = replace(key, value)
    if (replaced !== value) next ??= keys.slice(0, index).map(done => [done, object[done] ?? null])
    if (next !== undefined && replaced !== undefined) next.push([key, replaced])
  }
  return next === undefined ? object : Object.fromEntries(next)
}

/** Returns the keyword's new value, undefined to remove the keyword. */
function walkKeyword(keyword: string, value: Json, how: SchemaVisit, depth: number): Json | undefined {
  if (MAP_KEYWORDS.has(keyword)) return walkMap(value, how, depth)
  if (LIST_KEYWORDS.has(keyword)) return walkList(value, how, depth)
  if (SINGLE_KEYWORDS.has(keyword)) return walkOne(value, how, depth)
  if (keyword === "items") return Array.isArray(value) ? walkList(value, how, depth) : walkOne(value, how, depth)
  return value
}

function walkOne(value: Json, how: SchemaVisit, depth: number): Json | undefined {
  if (isJsonObject(value)) return walkSchema(value, how, depth)
  return typeof value === "boolean" || !how.dropInvalid ? value : undefined
}

function walkMap(value: Json, how: SchemaVisit, depth: number): Json | undefined {
  if (!isJsonObject(value)) return how.dropInvalid ? undefined : value
  return mapMembers(value, (_name, member) => walkOne(member, how, depth))
}

function walkList(value: Json, how: SchemaVisit, depth: number): Json | undefined {
  if (!Array.isArray(value)) return how.dropInvalid ? undefined : value
  const members: readonly Json[] = value
  const next = members.map(member => walkOne(member, how, depth)).filter(member => member !== undefined)
  if (next.length === 0 && members.length > 0) return undefined
  return next.length === members.length && next.every((member, index) => member === members[index]) ? value : next
}
