/** Content of a chat tool message → output of a tool result. */

import type { Json } from "#core/json.ts"
import type { ContentPart } from "#core/request.ts"
import { isTooDeep } from "#protocols/nesting.ts"

import { decodeChatContent, isImagePart } from "./decode-parts.ts"

/**
 * Returns text or parts. A string stays the string it is, even when it is JSON: byte equality keeps prompt caches
 * warm. The one exception is a JSON array that holds an image, which some tool bridges send as text.
 */
export function decodeChatToolOutput(content: Json | undefined, messageIndex: number): string | readonly ContentPart[] {
  if (content === undefined || content === null) return ""
  if (typeof content === "string") return decodeText(content, messageIndex)
  if (!Array.isArray(content)) return JSON.stringify(content)
  return partsOrEmpty(content, messageIndex)
}

function decodeText(text: string, messageIndex: number): string | readonly ContentPart[] {
  if (!/^\s*\[/.test(text) || !text.includes("image")) return text
  const parts = parseArray(text)
  return parts?.some(isImagePart) ? partsOrEmpty(parts, messageIndex) : text
}

function partsOrEmpty(elements: readonly Json[], messageIndex: number): string | readonly ContentPart[] {
  const parts = decodeChatContent([...elements], { role: "tool", messageIndex })
  return parts.length === 0 ? "" : parts
}

function parseArray(text: string): readonly Json[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) && !isTooDeep(value) ? value : undefined
  } catch {
    // Text that merely begins like JSON is an ordinary tool result.
    return undefined
  }
}
