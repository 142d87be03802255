/** `tool_result` content → the output of a neutral tool result. */

import type { JsonObject } from "#core/json.ts"
import type { ContentPart } from "#core/request.ts"

import { decodeContent } from "./content-parts.ts"

/** Returns text where there is nothing but text, one line break between its blocks; otherwise parts in their order. */
export function decodeToolOutput(block: JsonObject, place: string): string | readonly ContentPart[] {
  const { content } = block
  if (typeof content === "string") return content
  const parts = decodeContent(content, `${place}.content`)
  const texts = parts.flatMap(part => (part.type === "text" ? [part.text] : []))
  return texts.length === parts.length ? texts.join("\n") : parts
}
