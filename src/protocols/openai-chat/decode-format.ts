/** Chat `response_format` → neutral output format. */

import { type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { OutputFormat } from "#core/request.ts"
import { invalidRequest } from "#protocols/check-body.ts"
import { defined } from "#protocols/defined.ts"

/** Name a schema gets when the client gave none; upstreams demand one. */
const DEFAULT_SCHEMA_NAME = "response"

/** Returns the format, undefined for plain text. Throws `invalid-request` for an unknown type or a missing schema. */
export function decodeChatFormat(body: JsonObject): OutputFormat | undefined {
  const format = objectAt(body, "response_format")
  if (format === undefined) return undefined
  switch (stringAt(format, "type") ?? "") {
    case "text":
      return undefined
    case "json_object":
      return { type: "json-object" }
    case "json_schema":
      return decodeSchemaFormat(format)
    default:
      throw invalidRequest(
        "'response_format.type' must be 'text', 'json_object' or 'json_schema'.",
        "response_format.type",
        "invalid_value",
      )
  }
}

/** Accepts the chat nesting and the flat Responses form. */
function decodeSchemaFormat(format: JsonObject): OutputFormat {
  const source = objectAt(format, "json_schema") ?? format
  const schema = objectAt(source, "schema")
  if (schema === undefined) {
    const param = "response_format.json_schema.schema"
    throw invalidRequest(`Missing required parameter: '${param}'.`, param, "missing_required_parameter")
  }
  const strict = source["strict"]
  return {
    type: "json-schema",
    name: stringAt(source, "name") || DEFAULT_SCHEMA_NAME,
    schema,
    ...defined({
      description: stringAt(source, "description"),
      strict: typeof strict === "boolean" ? strict : undefined,
    }),
  }
}
