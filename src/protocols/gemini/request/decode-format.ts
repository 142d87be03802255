/** The shape of the answer: `responseMimeType` and its schemas → the upstream's format, and the way back. */

import { isJsonObject, type JsonObject } from "#core/json.ts"
import type { OutputFormat, ReplyOptions } from "#core/request.ts"
import { isStrictReady } from "#protocols/strict-schema.ts"

import { objectMember, stringMember } from "./members.ts"
import { plainSchema } from "./plain-schema.ts"

/** The format to ask for; `unwrap` tells what the answer was wrapped in. */
export type FormatWish = { readonly format?: OutputFormat } & Pick<ReplyOptions, "unwrap">

const LEGAL_NAME = /^[A-Za-z0-9_-]{1,64}$/

/** Reads the format. Upstreams want an object at the root: anything else travels as the member `value`. */
export function decodeFormat(config: JsonObject): FormatWish {
  const type = stringMember(config, "responseMimeType")?.trim().toLowerCase() ?? ""
  const source = objectMember(config, "responseJsonSchema") ?? objectMember(config, "responseSchema")
  if (source === undefined) return type === "application/json" ? { format: { type: "json-object" } } : {}
  const schema = plainSchema(source)
  const title = stringMember(source, "title") ?? ""
  const name = LEGAL_NAME.test(title) ? title : "response"
  const isObject = schema["type"] === "object" || (schema["type"] === undefined && isJsonObject(schema["properties"]))
  if (isObject) return { format: formatOf(name, { ...schema, type: "object" }) }
  return {
    format: formatOf(name, wrapped(schema)),
    unwrap: type === "text/x.enum" ? "text" : "json",
  }
}

function formatOf(name: string, schema: JsonObject): OutputFormat {
  return { type: "json-schema", name, schema, strict: isStrictReady(schema) }
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
