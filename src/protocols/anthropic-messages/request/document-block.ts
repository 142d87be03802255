/** Document blocks → neutral parts: files stay files, texts become text with their title in front. */

import { isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { ContentPart } from "#core/request.ts"

/** Long enough for any title, short enough for any file system. */
const MAX_NAME_CHARS = 120

/** Reads a document. `decodeInner` reads the blocks of a `content` source. */
export function decodeDocument(
  block: JsonObject,
  decodeInner: (content: Json | undefined) => readonly ContentPart[],
): readonly ContentPart[] {
  const source = objectAt(block, "source") ?? {}
  const data = stringAt(source, "data")
  const type = stringAt(source, "type") ?? ""
  if (type === "text" && data !== undefined) return [text(`${headOf(block)}${data}`)]
  if (data) return [pdfOf(block, source, data.replace(/\s+/g, ""))]
  const url = stringAt(source, "url")
  if (url) return [{ type: "file", url }]
  const fileId = stringAt(source, "file_id")
  if (fileId) return [text(`[Document ${fileId}: uploaded files are not available here.]`)]
  const inner = decodeInner(source["content"])
  const head = headOf(block).trimEnd()
  return head === "" ? inner : [text(head), ...inner]
}

function pdfOf(block: JsonObject, source: JsonObject, data: string): ContentPart {
  const mediaType = stringAt(source, "media_type") ?? "application/pdf"
  return { type: "file", filename: fileNameOf(stringAt(block, "title")), dataUrl: `data:${mediaType};base64,${data}` }
}

/** Letters of any script are fine; what could be read as a path or a command is not. */
function fileNameOf(title: string | undefined): string {
  const clean = (title ?? "")
    .replace(/[^\p{L}\p{N} ._-]+/gu, "_")
    .replace(/^[\s.]+/, "")
    .slice(0, MAX_NAME_CHARS)
    .trim()
  if (clean === "") return "document.pdf"
  return /\.pdf$/i.test(clean) ? clean : `${clean}.pdf`
}

function headOf(block: JsonObject): string {
  const lines = [stringAt(block, "title"), stringAt(block, "context")].filter(line => line !== undefined && line !== "")
  return lines.map(line => `${line}\n`).join("")
}

/** Reads a search result: title, source, then its text blocks. */
export function decodeSearchResult(
  block: JsonObject,
  decodeInner: (content: Json | undefined) => readonly ContentPart[],
): readonly ContentPart[] {
  const source = block["source"]
  const address = typeof source === "string" ? source : isJsonObject(source) ? stringAt(source, "url") : undefined
  const head = [stringAt(block, "title"), address].filter(line => line !== undefined && line !== "").join("\n")
  const inner = decodeInner(block["content"])
  return head === "" ? inner : [text(head), ...inner]
}

function text(value: string): ContentPart {
  return { type: "text", text: value }
}
