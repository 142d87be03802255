/** The `text` object of an upstream body: output format and verbosity side by side. */

import { type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { OutputFormat } from "#core/request.ts"
import { defined } from "#protocols/defined.ts"

import { closeObjectSchemas } from "./schema-repair.ts"

/** Name a schema gets when the client gave none; the upstream demands one. */
const DEFAULT_SCHEMA_NAME = "response"

/** Returns the Responses form of a neutral format. */
export function formatOf(format: OutputFormat): JsonObject {
  if (format.type === "json-object") return { type: "json_object" }
  const { name, schema } = format
  // `defined` has removed the only members that are not JSON.
  return defined({
    type: "json_schema",
    name,
    description: format.description,
    schema,
    strict: format.strict,
  }) as JsonObject
}

/** Lifts chat's `json_schema` nesting; a format that is already flat is returned as it is. */
export function flattenFormat(format: JsonObject): JsonObject {
  const nested = format["type"] === "json_schema" ? objectAt(format, "json_schema") : undefined
  return nested === undefined ? format : { type: "json_schema", ...nested }
}

/**
 * Joins format and verbosity; returns undefined when neither is set. Strict schemas get the
 * `additionalProperties: false` the upstream insists on; `required` stays the client's own.
 */
export function encodeText(
  format: JsonObject | undefined,
  verbosity: string | undefined,
  others: JsonObject,
): JsonObject | undefined {
  const text: JsonObject = {
    ...others,
    ...(verbosity === undefined ? {} : { verbosity }),
    ...(format === undefined || format["type"] === "text" ? {} : { format: prepareFormat(format) }),
  }
  return Object.keys(text).length === 0 ? undefined : text
}

function prepareFormat(format: JsonObject): JsonObject {
  if (format["type"] !== "json_schema") return format
  const named = stringAt(format, "name") ? format : { ...format, name: DEFAULT_SCHEMA_NAME }
  const schema = objectAt(named, "schema")
  if (schema === undefined || named["strict"] !== true) return named
  return { ...named, schema: closeObjectSchemas(schema) }
}
