/** The shape of the answer: `responseMimeType` or `responseFormat`, and its schemas → the upstream's format, and the way back. */

import type { JsonObject } from "#core/json.ts"
import type { OutputFormat, ReplyOptions } from "#core/request.ts"
import { schemaFormat } from "#protocols/schema-format.ts"

import { objectMember, stringMember } from "./members.ts"
import { plainSchema } from "./plain-schema.ts"
import { responseFormats } from "./response-formats.ts"

/** The format to ask for; `unwrap` tells what the answer was wrapped in. */
export type FormatWish = { readonly format?: OutputFormat } & Pick<ReplyOptions, "unwrap">

const LEGAL_NAME = /^[A-Za-z0-9_-]{1,64}$/

/** Reads the format. Upstreams want an object at the root: anything else travels as the member `value`. */
export function decodeFormat(config: JsonObject): FormatWish {
  const { text = {} } = responseFormats(config)
  const type = typeOf(stringMember(text, "mimeType") ?? stringMember(config, "responseMimeType") ?? "")
  const source =
    objectMember(text, "schema") ?? objectMember(config, "responseJsonSchema") ?? objectMember(config, "responseSchema")
  if (source === undefined) return type === "application/json" ? { format: { type: "json-object" } } : {}
  const schema = plainSchema(source)
  const title = stringMember(source, "title") ?? ""
  const name = LEGAL_NAME.test(title) ? title : "response"
  const { format, isWrapped } = schemaFormat(name, schema)
  return isWrapped ? { format, unwrap: type === "text/x.enum" ? "text" : "json" } : { format }
}

/** Also written as a word of the vendor's: `APPLICATION_JSON`. */
function typeOf(mimeType: string): string {
  return mimeType.trim().toLowerCase().replace("_", "/")
}
