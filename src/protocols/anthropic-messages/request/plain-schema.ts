/** Schemas of tools without what only validators read: generators put it in, and upstreams stumble over it. */

import { isJsonObject, type Json, type JsonObject, objectAt } from "#core/json.ts"
import { walkSchema } from "#protocols/openai-responses/encode/schema-walk.ts"

/** Says where a schema comes from. */
const MARKS: ReadonlySet<string> = new Set(["$schema", "$id", "$comment"])

/** Returns the schema without marks and with objects in place of the schemas `true` and `false`. */
export function plainSchema(schema: JsonObject): JsonObject {
  return walkSchema(schema, { visit: plainNode, dropInvalid: false })
}

function plainNode(schema: JsonObject): JsonObject {
  const entries = Object.entries(schema).filter(([key]) => !MARKS.has(key))
  const properties = objectAt(schema, "properties")
  const plain = entries.map(([key, value]): [string, Json] => {
    if (key === "properties" && properties !== undefined) return [key, plainProperties(properties)]
    return [key, key === "items" && value === true ? {} : value]
  })
  return Object.fromEntries(plain)
}

/** `true` allows anything, which an empty schema says as well; what `false` stands for can never be given. */
function plainProperties(properties: JsonObject): JsonObject {
  const given = Object.entries(properties).filter(([, property]) => property !== false)
  return Object.fromEntries(given.map(([name, property]) => [name, isJsonObject(property) ? property : {}]))
}
