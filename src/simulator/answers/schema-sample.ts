/** Makes the smallest JSON value that a JSON Schema accepts, for structured answers and for tool arguments. */

import { arrayAt, isJsonObject, type Json, type JsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"

/** Deeper nesting than this ends in null; recursive schemas would never end. */
const MAX_DEPTH = 12

/**
 * Returns a value for `schema` with its required properties; strings are `text`. A structured answer lists every
 * property as required anyway. Knows `$ref` into the same schema, `anyOf`, `oneOf`, `allOf`, `enum` and `const`.
 */
export function sampleOf(schema: JsonObject, text: string): Json {
  return sample({ root: schema, text, depth: 0 }, schema)
}

type Sampler = { readonly root: JsonObject; readonly text: string; readonly depth: number }

function sample(sampler: Sampler, schema: Json | undefined): Json {
  if (!isJsonObject(schema) || sampler.depth > MAX_DEPTH) return sampler.depth > MAX_DEPTH ? null : sampler.text
  const deeper = { ...sampler, depth: sampler.depth + 1 }
  if (schema["const"] !== undefined) return schema["const"]
  const choice = arrayAt(schema, "enum")?.[0]
  if (choice !== undefined) return choice
  const reference = stringAt(schema, "$ref")
  if (reference !== undefined) return sample(deeper, resolve(sampler.root, reference))
  const variants = arrayAt(schema, "anyOf") ?? arrayAt(schema, "oneOf")
  if (variants !== undefined) return sample(deeper, variants[0])
  const parts = arrayAt(schema, "allOf")
  if (parts !== undefined) return sample(deeper, mergeAll(parts))
  return sampleOfType(deeper, schema, typeOf(schema))
}

function sampleOfType(sampler: Sampler, schema: JsonObject, type: string): Json {
  switch (type) {
    case "object":
      return sampleObject(sampler, schema)
    case "array":
      return Array.from({ length: Math.max(1, numberAt(schema, "minItems") ?? 1) }, () =>
        sample(sampler, schema["items"]),
      )
    case "integer":
    case "number":
      return Math.max(numberAt(schema, "minimum") ?? 1, numberAt(schema, "exclusiveMinimum") ?? 0)
    case "boolean":
      return true
    case "null":
      return null
    default:
      return sampleString(sampler, schema)
  }
}

function sampleObject(sampler: Sampler, schema: JsonObject): Json {
  const required = new Set(arrayAt(schema, "required") ?? [])
  const entries = Object.entries(objectAt(schema, "properties") ?? {}).filter(([name]) => required.has(name))
  return Object.fromEntries(entries.map(([name, inner]) => [name, sample(sampler, inner)]))
}

function sampleString(sampler: Sampler, schema: JsonObject): string {
  const formats: Readonly<Record<string, string>> = {
    date: "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    time: "00:00:00Z",
    email: "someone@simulator.invalid",
    uri: "https://simulator.invalid/",
    uuid: "00000000-0000-4000-8000-000000000000",
  }
  const text = formats[stringAt(schema, "format") ?? ""] ?? sampler.text
  const padded = text.padEnd(numberAt(schema, "minLength") ?? 0, "x")
  return padded.slice(0, numberAt(schema, "maxLength") ?? padded.length)
}

function typeOf(schema: JsonObject): string {
  const type = schema["type"]
  if (typeof type === "string") return type
  if (Array.isArray(type)) return String(type.find(name => name !== "null") ?? "null")
  if (schema["properties"] !== undefined) return "object"
  return schema["items"] === undefined ? "string" : "array"
}

function resolve(root: JsonObject, reference: string): Json | undefined {
  let value: Json | undefined = root
  for (const step of reference.replace(/^#\/?/, "").split("/").filter(Boolean)) {
    value = isJsonObject(value) ? value[step.replaceAll("~1", "/").replaceAll("~0", "~")] : undefined
  }
  return value
}

function mergeAll(parts: readonly Json[]): JsonObject {
  const objects = parts.filter(isJsonObject)
  return {
    ...Object.assign({}, ...objects),
    type: "object",
    properties: Object.assign({}, ...objects.map(part => objectAt(part, "properties") ?? {})),
    required: objects.flatMap(part => arrayAt(part, "required") ?? []),
  }
}
