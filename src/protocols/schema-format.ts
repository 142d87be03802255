/** A schema for the answer's text, in the form upstreams take. */

import { isJsonObject, type JsonObject } from "#core/json.ts"
import type { OutputFormat } from "#core/request.ts"

import { isStrictReady } from "./strict-schema.ts"

/** `isWrapped`: the answer will be an object with the one member `value`, which is what was asked for. */
export type SchemaFormat = { readonly format: OutputFormat; readonly isWrapped: boolean }

/** Upstreams want an object at the root: anything else travels as the member `value`. */
export function schemaFormat(name: string, schema: JsonObject): SchemaFormat {
  const isObject = schema["type"] === "object" || (schema["type"] === undefined && isJsonObject(schema["properties"]))
  const whole = isObject ? { ...schema, type: "object" } : wrapped(schema)
  return {
    format: { type: "json-schema", name, schema: whole, strict: isStrictReady(whole) },
    isWrapped: !isObject,
  }
}

/** Definitions stay at the root, where references look for them. */
function wrapped({ $defs, definitions, ...schema }: JsonObject): JsonObject {
  return {
    type: "object",
    properties: { value: schema },
    required: ["value"],
    additionalProperties: false,
    ...($defs !== undefined && { $defs }),
    ...(definitions !== undefined && { definitions }),
  }
}
