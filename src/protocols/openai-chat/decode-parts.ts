/** Chat content parts → neutral parts, including the spellings vendors and other dialects use. */

import { isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { ContentPart } from "#core/request.ts"
import { invalidRequest } from "#protocols/check-body.ts"
import { defined } from "#protocols/defined.ts"

/** Where a part stands; decides what is allowed and how an error names it. */
export type PartPlace = {
  readonly role: "developer" | "user" | "assistant" | "tool"
  readonly messageIndex: number
}

type ImageDetail = "auto" | "low" | "high"

const IMAGE_TYPES: ReadonlySet<unknown> = new Set(["image_url", "input_image", "image"])

/** Part types each role may carry; the rest is dropped from that role. */
const ALLOWED_TYPES: Readonly<Record<PartPlace["role"], ReadonlySet<ContentPart["type"]>>> = {
  developer: new Set(["text"]),
  user: new Set(["text", "image", "file"]),
  assistant: new Set(["text", "refusal"]),
  tool: new Set(["text", "image", "file"]),
}

/**
 * Decodes a message's content: a string, an array of parts, or nothing. Empty texts are left out.
 * Throws `invalid-request` for audio, and for unknown parts of user messages.
 */
export function decodeChatContent(content: Json | undefined, place: PartPlace): readonly ContentPart[] {
  if (content === undefined || content === null) return []
  const elements = Array.isArray(content) ? content : [content]
  const parts: ContentPart[] = []
  for (const [index, element] of elements.entries()) {
    const part = decodePart(element, place, index)
    if (part === undefined || !ALLOWED_TYPES[place.role].has(part.type)) continue
    if (part.type === "text" && part.text === "") continue
    parts.push(part)
  }
  return parts
}

/** True for a part that shows an image, in any of the accepted spellings. */
export function isImagePart(element: Json): boolean {
  return isJsonObject(element) && decodeImage(element) !== undefined
}

function decodePart(element: Json, place: PartPlace, index: number): ContentPart | undefined {
  if (typeof element === "string") return { type: "text", text: element }
  if (!isJsonObject(element)) return decodeUnknown(element, place, index)
  switch (stringAt(element, "type") ?? "") {
    case "text":
    case "input_text":
    case "output_text":
      return { type: "text", text: stringAt(element, "text") ?? "" }
    case "refusal":
      return decodeRefusal(element, place)
    case "image_url":
      return decodeImage(element)
    case "input_image":
    case "image":
      return decodeImage(element) ?? decodeUnknown(element, place, index)
    case "file":
    case "input_file":
      return decodeFile(element)
    case "input_audio": {
      const param = `messages[${place.messageIndex}].content[${index}]`
      throw invalidRequest("Audio input is not supported.", param, "unsupported_value")
    }
    default:
      return decodeUnknown(element, place, index)
  }
}

function decodeUnknown(element: Json, place: PartPlace, index: number): ContentPart | undefined {
  const text = isJsonObject(element) ? stringAt(element, "text") : undefined
  if (text !== undefined) return { type: "text", text }
  if (place.role === "tool") return { type: "text", text: JSON.stringify(element) }
  if (place.role !== "user") return undefined
  const param = `messages[${place.messageIndex}].content[${index}].type`
  throw invalidRequest("The content part's type is not supported.", param, "invalid_value")
}

function decodeRefusal(element: JsonObject, place: PartPlace): ContentPart {
  const text = stringAt(element, "refusal") ?? stringAt(element, "text") ?? ""
  return place.role === "assistant" ? { type: "refusal", text } : { type: "text", text }
}

function decodeImage(element: JsonObject): ContentPart | undefined {
  if (!IMAGE_TYPES.has(element["type"])) return undefined
  const nested = objectAt(element, "image_url") ?? objectAt(element, "image") ?? {}
  const url = imageUrl(element, nested)
  const detail = pickDetail(nested["detail"]) ?? pickDetail(element["detail"])
  if (url) return { type: "image", url, ...defined({ detail }) }
  const fileId = stringAt(element, "file_id")
  return fileId ? { type: "image", fileId, ...defined({ detail }) } : undefined
}

function imageUrl(element: JsonObject, nested: JsonObject): string | undefined {
  return (
    stringAt(element, "image_url") ??
    stringAt(nested, "url") ??
    stringAt(element, "image") ??
    stringAt(element, "url") ??
    inlineImageUrl(objectAt(element, "source") ?? element)
  )
}

/** Reads `{media_type, data}` and `{mimeType, data}`, the ways tool servers inline an image. */
function inlineImageUrl(source: JsonObject): string | undefined {
  const data = stringAt(source, "data")
  if (data === undefined) return stringAt(source, "url")
  const mime = stringAt(source, "media_type") ?? stringAt(source, "mimeType") ?? "image/png"
  return data === "" ? undefined : `data:${mime};base64,${data}`
}

function pickDetail(value: Json | undefined): ImageDetail | undefined {
  return value === "auto" || value === "low" || value === "high" ? value : undefined
}

function decodeFile(element: JsonObject): ContentPart | undefined {
  const source = objectAt(element, "file") ?? element
  const content = defined({
    dataUrl: stringAt(source, "file_data"),
    fileId: stringAt(source, "file_id"),
    url: stringAt(source, "file_url"),
  })
  if (Object.keys(content).length === 0) return undefined
  return { type: "file", ...defined({ filename: stringAt(source, "filename") }), ...content }
}
