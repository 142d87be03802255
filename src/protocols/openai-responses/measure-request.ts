/** What of an upstream body costs tokens: the texts to count, and what the rest comes to. */

import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"
import { imageTokens } from "#protocols/image-tokens.ts"
import type { RequestMeasure } from "#protocols/protocol.ts"

/** What surrounds an item, a tool and the whole. */
const ITEM_TOKENS = 4
const TOOL_TOKENS = 8
const FRAME_TOKENS = 3
const HOSTED_TOOL_TOKENS = 10

/** A file of unknown content: by its size, within bounds. */
const BYTES_PER_FILE_TOKEN = 500
const MIN_FILE_TOKENS = 2000
const MAX_FILE_TOKENS = 200_000

/** Encrypted content: base64 of a text behind a head of 650 bytes. */
const SEAL_HEAD_BYTES = 650
const BYTES_PER_TOKEN = 4

/** Reads a body that {@link encodeResponsesRequest} made. */
export function measureResponsesRequest(body: JsonObject): RequestMeasure {
  const texts: string[] = [stringAt(body, "instructions") ?? ""]
  let fixedTokens = FRAME_TOKENS
  for (const item of (arrayAt(body, "input") ?? []).filter(isJsonObject)) {
    fixedTokens += ITEM_TOKENS + measureItem(item, texts)
  }
  for (const tool of (arrayAt(body, "tools") ?? []).filter(isJsonObject)) fixedTokens += measureTool(tool, texts)
  const format = objectAt(objectAt(body, "text") ?? {}, "format")
  if (format !== undefined) texts.push(JSON.stringify(format))
  return { texts: texts.filter(text => text !== ""), fixedTokens: Math.ceil(fixedTokens) }
}

function measureItem(item: JsonObject, texts: string[]): number {
  const sealed = stringAt(item, "encrypted_content")
  if (sealed !== undefined) return Math.max(0, (sealed.length * 0.75 - SEAL_HEAD_BYTES) / BYTES_PER_TOKEN)
  for (const key of ["name", "arguments", "input"]) texts.push(stringAt(item, key) ?? "")
  return measureContent(item["content"], texts) + measureContent(item["output"], texts)
}

function measureContent(content: Json | undefined, texts: string[]): number {
  if (typeof content === "string") texts.push(content)
  if (!Array.isArray(content)) return 0
  const parts: readonly Json[] = content
  return parts.filter(isJsonObject).reduce((tokens, part) => tokens + measurePart(part, texts), 0)
}

function measurePart(part: JsonObject, texts: string[]): number {
  texts.push(stringAt(part, "text") ?? stringAt(part, "refusal") ?? "")
  if (part["type"] === "input_image") return imageTokens(stringAt(part, "image_url") ?? "")
  if (part["type"] !== "input_file") return 0
  const bytes = (stringAt(part, "file_data") ?? "").length * 0.75
  return Math.min(MAX_FILE_TOKENS, Math.max(MIN_FILE_TOKENS, bytes / BYTES_PER_FILE_TOKEN))
}

function measureTool(tool: JsonObject, texts: string[]): number {
  const name = stringAt(tool, "name")
  if (name === undefined) return HOSTED_TOOL_TOKENS
  const { description, parameters, format } = tool
  texts.push(JSON.stringify({ name, description, parameters, format }))
  return TOOL_TOKENS
}
