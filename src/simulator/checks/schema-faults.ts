/** Finds what the model layer objects to in a JSON Schema, in its own words. */

import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt } from "#core/json.ts"

/** Whether every object has to be closed and every property required. */
export type SchemaRules = { readonly isStrict: boolean }

type Context = readonly string[]

/**
 * Returns the fault's text, `In context=('properties', 'paths'), array schema missing items.`, or undefined.
 * The context is a Python tuple of the steps from the root.
 */
export function findSchemaFault(schema: Json | undefined, rules: SchemaRules): string | undefined {
  if (!isJsonObject(schema) || schema["type"] !== "object") {
    const type = isJsonObject(schema) ? schema["type"] : undefined
    return `schema must be a JSON Schema of 'type: "object"', got 'type: "${typeof type === "string" ? type : "None"}"'.`
  }
  return findFault(schema, [], rules)
}

function findFault(schema: Json | undefined, context: Context, rules: SchemaRules): string | undefined {
  if (!isJsonObject(schema)) return undefined
  return ownFault(schema, context, rules) ?? innerFault(schema, context, rules)
}

function ownFault(schema: JsonObject, context: Context, rules: SchemaRules): string | undefined {
  const at = `In context=${tupleOf(context)}`
  if (isOfType(schema, "array") && schema["items"] === undefined) return `${at}, array schema missing items.`
  if (!isOfType(schema, "object")) return undefined
  if (schema["properties"] === undefined && context.length === 0 && rules.isStrict) {
    return `${at}, object schema missing properties.`
  }
  return rules.isStrict ? strictFault(schema, at) : undefined
}

function strictFault(schema: JsonObject, at: string): string | undefined {
  if (schema["additionalProperties"] !== false) {
    return `${at}, 'additionalProperties' is required to be supplied and to be false.`
  }
  const required = arrayAt(schema, "required") ?? []
  const missing = Object.keys(objectAt(schema, "properties") ?? {}).find(name => !required.includes(name))
  if (missing === undefined) return undefined
  return `${at}, 'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`
}

function innerFault(schema: JsonObject, context: Context, rules: SchemaRules): string | undefined {
  for (const [path, inner] of innerSchemas(schema)) {
    const fault = findFault(inner, [...context, ...path], rules)
    if (fault !== undefined) return fault
  }
  return undefined
}

function innerSchemas(schema: JsonObject): readonly (readonly [Context, Json])[] {
  const named = ["properties", "$defs", "definitions"].flatMap(key =>
    Object.entries(objectAt(schema, key) ?? {}).map(([name, inner]) => [[key, name], inner] as const),
  )
  const listed = ["anyOf", "oneOf", "allOf"].flatMap(key =>
    (arrayAt(schema, key) ?? []).map((inner, index) => [[key, String(index)], inner] as const),
  )
  const items = schema["items"]
  return [...named, ...listed, ...(isJsonObject(items) ? [[["items"], items] as const] : [])]
}

function isOfType(schema: JsonObject, type: string): boolean {
  const stated = schema["type"]
  return stated === type || (Array.isArray(stated) && stated.includes(type))
}

/** `()`, `('a',)`, `('a', 'b')`. */
function tupleOf(context: Context): string {
  const quoted = context.map(step => `'${step}'`)
  return quoted.length === 1 ? `(${quoted[0] ?? ""},)` : `(${quoted.join(", ")})`
}
