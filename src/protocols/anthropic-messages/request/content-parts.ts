/** Content blocks that show something → neutral parts. Blocks that are acts (calls, results, thinking) are not among them. */

import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { ContentPart } from "#core/request.ts"

import { decodeDocument, decodeSearchResult } from "./document-block.ts"
import { decodeImage } from "./image-block.ts"

/** Blocks that only steer: there is nothing in them for the model to read. */
const SILENT_TYPES: ReadonlySet<string> = new Set(["tool_addition", "tool_removal", "fallback", "mcp_tool_listing"])

/** Reads the content of a message or of a tool result. Empty texts are left out. `place` names it in errors. */
export function decodeContent(content: Json | undefined, place: string): readonly ContentPart[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }]
  if (!Array.isArray(content)) return []
  const blocks: readonly Json[] = content
  return blocks.flatMap((block, index) => (isJsonObject(block) ? decodePart(block, `${place}.${index}`) : []))
}

/** Reads one block. A type nobody knows yet is shown by its text, or named: nothing with a text is dropped. */
export function decodePart(block: JsonObject, place: string): readonly ContentPart[] {
  const inner = (content: Json | undefined) => decodeContent(content, `${place}.source.content`)
  const type = stringAt(block, "type") ?? ""
  switch (type) {
    case "image":
      return [decodeImage(block, place)]
    case "document":
      return decodeDocument(block, inner)
    case "search_result":
      return decodeSearchResult(block, inner)
    case "tool_reference":
      return text(stringAt(block, "tool_name") ?? "")
    case "container_upload":
      return text(`[File ${stringAt(block, "file_id") ?? ""}: uploaded files are not available here.]`)
    case "compaction":
      return decodeContent(block["content"], place)
    default:
      return SILENT_TYPES.has(type) ? [] : decodeText(block, type)
  }
}

function decodeText(block: JsonObject, type: string): readonly ContentPart[] {
  const own = stringAt(block, "text") ?? stringAt(objectAt(block, "text") ?? {}, "text")
  if (own !== undefined) return text(own)
  const inner = (arrayAt(block, "content") ?? []).filter(isJsonObject).flatMap(child => stringAt(child, "text") ?? [])
  if (inner.length > 0) return text(inner.join("\n"))
  return type === "text" || type === "" ? [] : text(`[${type.slice(0, 80)}]`)
}

function text(value: string): readonly ContentPart[] {
  return value === "" ? [] : [{ type: "text", text: value }]
}
