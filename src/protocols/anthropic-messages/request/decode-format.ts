/** `output_config.format` → neutral output format. */

import { type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { OutputFormat } from "#core/request.ts"
import { invalidRequest } from "#protocols/check-body.ts"
import { isStrictReady } from "#protocols/strict-schema.ts"

const NAME = "response"

/** Also reads the older `output_format`. Throws `invalid-request` for other types than `json_schema`. */
export function decodeFormat(body: JsonObject): OutputFormat | undefined {
  const current = objectAt(objectAt(body, "output_config") ?? {}, "format")
  const param = current === undefined ? "output_format" : "output_config.format"
  const format = current ?? objectAt(body, "output_format")
  if (format === undefined || stringAt(format, "type") === "text") return undefined
  const schema = objectAt(format, "schema")
  if (stringAt(format, "type") !== "json_schema" || schema === undefined) {
    throw invalidRequest(`'${param}' must have the type 'json_schema' and a schema.`, param, "invalid_value")
  }
  return { type: "json-schema", name: NAME, schema, strict: isStrictReady(schema) }
}
