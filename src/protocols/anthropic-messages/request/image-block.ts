/** Image blocks → neutral image parts. The bytes decide what an image is, not what the client calls it. */

import { type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { ContentPart } from "#core/request.ts"
import { invalidRequest } from "#protocols/check-body.ts"

/** How much of the base64 is looked at: 16 bytes hold every signature. */
const HEAD_CHARS = 24

const SUPPORTED: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"])

/** Reads an image. Throws `invalid-request` for formats the upstream cannot see; `place` names the block. */
export function decodeImage(block: JsonObject, place: string): ContentPart {
  const source = objectAt(block, "source") ?? block
  const data = (stringAt(source, "data") ?? stringAt(source, "base64"))?.replace(/\s+/g, "")
  if (data) return { type: "image", url: `data:${mediaTypeOf(data, source, place)};base64,${data}` }
  const url = stringAt(source, "url")
  if (url) return { type: "image", url }
  const fileId = stringAt(source, "file_id")
  if (fileId) return { type: "text", text: `[Image ${fileId}: uploaded files are not available here.]` }
  const param = `${place}.source`
  throw invalidRequest(`Missing required parameter: '${param}'.`, param, "missing_required_parameter")
}

function mediaTypeOf(data: string, source: JsonObject, place: string): string {
  const stated = stringAt(source, "media_type") ?? stringAt(source, "mime_type")
  const type = sniff(data) ?? stated?.toLowerCase().replace("image/jpg", "image/jpeg") ?? "image/png"
  if (SUPPORTED.has(type)) return type
  const param = `${place}.source.media_type`
  throw invalidRequest("The image must be a PNG, JPEG, GIF or WebP.", param, "unsupported_image")
}

/** Recognises formats by their first bytes. */
function sniff(data: string): string | undefined {
  const head = Buffer.from(data.slice(0, HEAD_CHARS), "base64").toString("latin1")
  if (head.startsWith("\x89PNG")) return "image/png"
  if (head.startsWith("\xff\xd8\xff")) return "image/jpeg"
  if (head.startsWith("GIF8")) return "image/gif"
  if (head.startsWith("RIFF") && head.startsWith("WEBP", 8)) return "image/webp"
  if (head.startsWith("BM")) return "image/bmp"
  if (head.startsWith("II*\0") || head.startsWith("MM\0*")) return "image/tiff"
  return undefined
}
