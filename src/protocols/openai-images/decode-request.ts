/** Images body → a turn of a text model that has one tool, the one that draws, and must use it. */

import { arrayAt, isJsonObject, type JsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"
import type { ClientCall, ContentPart, ModelRequest } from "#core/request.ts"
import { invalidRequest, withoutNulls } from "#protocols/check-body.ts"
import { defined } from "#protocols/defined.ts"

import { checkImageSize } from "./image-size.ts"
import { checkImagesBody } from "./schema.ts"

/** Drawn by when the client names none, or one of the names before it. */
const DEFAULT_IMAGE_MODEL = "gpt-image-2"
const IMAGE_MODEL = /^(gpt-image|chatgpt-image)/
const OLDER_MODEL = /^dall-e/

/** Options the tool takes under the same names. */
const TOOL_OPTIONS = [
  "size",
  "background",
  "output_format",
  "output_compression",
  "moderation",
  "input_fidelity",
  "partial_images",
] as const

/**
 * Decodes a call whose address has been written into the body as `operation` (`generation` or `edit`) and whose
 * pictures are data or web URLs. Throws `invalid-request` with `param` and `code`.
 */
export function decodeImagesRequest(call: ClientCall): ModelRequest {
  const body = withoutNulls(call.json)
  checkImagesBody(body)
  const operation = body["operation"] === "edit" ? "edit" : "generation"
  const sources = operation === "edit" ? sourcesOf(body) : []
  rejectUnsupported(body)
  const options = toolOptions(body, operation)
  return {
    protocol: call.protocol,
    model: stringAt(body, "model") ?? DEFAULT_IMAGE_MODEL,
    body: {
      type: "neutral",
      input: [{ type: "message", role: "user", parts: [{ type: "text", text: promptOf(body) }, ...sources] }],
      tools: [{ type: "image-generation", options }],
      toolChoice: { type: "hosted", name: "image_generation" },
    },
    stream: body["stream"] === true,
    // The text model only hands the prompt on.
    effort: "low",
    reply: {
      includeUsage: false,
      legacyFunctions: false,
      customAsFunction: false,
      codexClient: false,
      image: { operation, asUrl: body["response_format"] === "url" },
    },
  }
}

/** How many pictures the body asks for; each is a turn of its own. */
export function pictureCountOf(body: JsonObject): number {
  return numberAt(body, "n") ?? 1
}

function promptOf(body: JsonObject): string {
  const prompt = stringAt(body, "prompt") ?? ""
  if (prompt.trim() !== "") return prompt
  throw invalidRequest("'prompt' must not be blank.", "prompt", "invalid_value")
}

function sourcesOf(body: JsonObject): readonly ContentPart[] {
  const images = (arrayAt(body, "images") ?? []).filter(isJsonObject)
  if (images.length === 0) {
    throw invalidRequest("An edit needs at least one picture.", "image", "missing_required_parameter")
  }
  return images.map((image, index) => ({ type: "image", url: urlOf(image, `images[${index}]`) }))
}

function urlOf(source: JsonObject, param: string): string {
  const url = stringAt(source, "image_url")
  if (url) return url
  const isFile = source["file_id"] !== undefined
  throw invalidRequest(
    isFile ? "Files are not stored; send the picture itself." : `Missing required parameter: '${param}.image_url'.`,
    isFile ? `${param}.file_id` : `${param}.image_url`,
    isFile ? "unsupported_value" : "missing_required_parameter",
  )
}

function toolOptions(body: JsonObject, operation: "generation" | "edit"): JsonObject {
  const model = toolModelOf(stringAt(body, "model"))
  checkImageSize(stringAt(body, "size"), model)
  const options = TOOL_OPTIONS.flatMap(key => (body[key] === undefined ? [] : [[key, body[key]] as const]))
  const mask = objectAt(body, "mask")
  return {
    model,
    ...Object.fromEntries(options),
    ...defined({ quality: qualityOf(stringAt(body, "quality")) }),
    ...(operation === "edit" && { action: "edit" }),
    ...(mask !== undefined && { input_image_mask: { image_url: urlOf(mask, "mask") } }),
  }
}

function toolModelOf(name: string | undefined): string {
  if (name === undefined || OLDER_MODEL.test(name)) return DEFAULT_IMAGE_MODEL
  if (IMAGE_MODEL.test(name)) return name
  throw invalidRequest(`'${name}' does not draw; leave 'model' out or name an image model.`, "model", "invalid_value")
}

/** The older models' words. */
function qualityOf(quality: string | undefined): string | undefined {
  if (quality === "hd") return "high"
  return quality === "standard" ? undefined : quality
}

/** Refuses what would silently give the client something else than it asked for. */
function rejectUnsupported(body: JsonObject): void {
  const format = stringAt(body, "output_format") ?? "png"
  const compression = numberAt(body, "output_compression") ?? 100
  if (format === "png" && compression !== 100) {
    throw invalidRequest(
      "PNG is not compressed with loss: 'output_compression' must be 100.",
      "output_compression",
      "invalid_value",
    )
  }
  if (format === "jpeg" && body["background"] === "transparent") {
    throw invalidRequest("JPEG has no transparency; use png or webp.", "background", "invalid_value")
  }
  if (body["stream"] !== true || pictureCountOf(body) === 1) return
  throw invalidRequest("A stream brings one picture: 'n' must be 1.", "n", "unsupported_value")
}
