/** Inline and linked media → neutral parts. */

import type { JsonObject } from "#core/json.ts"
import type { ContentPart } from "#core/request.ts"
import { plainBase64, sniffMediaType } from "#protocols/base64-media.ts"
import { invalidRequest } from "#protocols/check-body.ts"

import { member, objectMember, stringMember } from "./members.ts"

/** Reads `inlineData`. Throws `invalid-request` for what no upstream can see; `place` names the part. */
export function decodeInlineData(blob: JsonObject, place: string): ContentPart {
  const param = `${place}.inlineData`
  const data = plainBase64(stringMember(blob, "data") ?? "")
  if (data === undefined) throw invalidRequest(`'${param}.data' is not base64.`, `${param}.data`, "invalid_base64")
  const type = mediaTypeOf(stringMember(blob, "mimeType"), data)
  if (type === undefined) {
    throw invalidRequest(`Missing required parameter: '${param}.mimeType'.`, `${param}.mimeType`, "missing_mime_type")
  }
  const url = `data:${type};base64,${data}`
  if (type.startsWith("image/")) return { type: "image", url }
  if (/^(audio|video)\//.test(type)) {
    throw invalidRequest(`Media of type ${JSON.stringify(type)} is not supported.`, param, "unsupported_media")
  }
  return { type: "file", filename: stringMember(blob, "displayName") ?? `file.${extensionOf(type)}`, dataUrl: url }
}

/** Reads `fileData`. Throws `invalid-request` for addresses that only the vendor itself can read. */
export function decodeFileData(file: JsonObject, place: string): ContentPart {
  const param = `${place}.fileData.fileUri`
  const url = stringMember(file, "fileUri") ?? ""
  const isForeign = /^https?:\/\/(generativelanguage\.googleapis\.com|(www\.)?youtube\.com|youtu\.be)\//i.test(url)
  if (!/^https?:\/\//i.test(url) || isForeign) {
    throw invalidRequest("Files can be read from public http(s) addresses or inline only.", param, "unsupported_file")
  }
  const type = stringMember(file, "mimeType")?.toLowerCase() ?? ""
  const isImage = type.startsWith("image/") || (type === "" && /\.(png|jpe?g|gif|webp)$/i.test(url))
  return isImage ? { type: "image", url } : { type: "file", url }
}

/** How closely an image is looked at. */
export type ImageDetail = "auto" | "low" | "high"

/** Reads `mediaResolution` of a part or of the whole request: a word, or an object with a level. */
export function detailOf(holder: JsonObject): ImageDetail | undefined {
  const level =
    stringMember(objectMember(holder, "mediaResolution") ?? {}, "level") ?? member(holder, "mediaResolution")
  const word = typeof level === "string" ? level.toUpperCase().replace("MEDIA_RESOLUTION_", "") : ""
  if (word === "LOW") return "low"
  if (word === "MEDIUM") return "auto"
  return word === "HIGH" || word === "ULTRA_HIGH" ? "high" : undefined
}

/** The bytes decide what an image is, not what the client calls it. */
function mediaTypeOf(stated: string | undefined, data: string): string | undefined {
  const type = stated?.split(";")[0]?.trim().toLowerCase().replace("image/jpg", "image/jpeg") ?? ""
  const isOpen = type === "" || type.startsWith("image/")
  return (isOpen ? sniffMediaType(data) : undefined) ?? (type === "" ? undefined : type)
}

function extensionOf(type: string): string {
  const subtype = type.split("/")[1] ?? ""
  if (subtype === "plain") return "txt"
  return /^[a-z0-9]{1,8}$/.test(subtype) ? subtype : "bin"
}
