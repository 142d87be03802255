/** Gemini body → neutral request. */

import { GatewayError } from "#core/errors.ts"
import { type JsonObject, stringAt } from "#core/json.ts"
import type { ClientCall, ContentPart, InputItem, ModelRequest, NeutralBody, ReplyOptions } from "#core/request.ts"
import { invalidRequest } from "#protocols/check-body.ts"
import { sessionHeader } from "#protocols/client-hints.ts"
import { defined } from "#protocols/defined.ts"

import { decodeContents, decodeInstructions } from "./request/decode-contents.ts"
import { decodeFormat } from "./request/decode-format.ts"
import { decodeThinking } from "./request/decode-thinking.ts"
import { decodeToolChoice, decodeTools } from "./request/decode-tools.ts"
import { member, objectMember, stringMember, stringsMember } from "./request/members.ts"
import { checkGeminiBody } from "./schema.ts"

/** The vendor's models that draw. */
const IMAGE_MODEL = /^gemini-.*image/i

/** Most stop sequences the dialect knows. */
const MAX_STOPS = 5

/**
 * Decodes a call whose address has been written into the body: `model`, `stream` and `alt` (`sse` or `json`).
 * Throws `invalid-request` with `param` and `code`.
 */
export function decodeGeminiRequest(call: ClientCall): ModelRequest {
  checkGeminiBody(call.json)
  const json = bodyOf(call.json)
  // The schema check has made sure of the string.
  const model = stringAt(call.json, "model") ?? ""
  refuseUnserved(json)
  const config = objectMember(json, "generationConfig") ?? {}
  const { effort, summary, thinking } = decodeThinking(config)
  const { format, unwrap } = decodeFormat(config)
  const stops = stringsMember(config, "stopSequences")
    .filter(stop => stop !== "")
    .slice(0, MAX_STOPS)
  const reply: ReplyOptions = {
    includeUsage: false,
    legacyFunctions: false,
    customAsFunction: false,
    codexClient: false,
    ...defined({ thinking, unwrap }),
    ...(call.json["alt"] === "json" && { asArray: true }),
    ...(stops.length > 0 && { stopSequences: stops }),
  }
  return {
    protocol: call.protocol,
    model,
    body: decodeBody(json, model, format),
    stream: call.json["stream"] === true,
    ...defined({ effort, summary, serviceTier: tierOf(json), cacheKey: sessionHeader(call.headers) }),
    reply,
  }
}

/** A count may bring the request it is about as a member. */
function bodyOf(json: JsonObject): JsonObject {
  const inner = objectMember(json, "generateContentRequest")
  if (inner === undefined) return json
  if (member(json, "contents") === undefined) return inner
  const param = "generateContentRequest"
  throw invalidRequest(`'contents' and '${param}' exclude each other.`, param, "mutually_exclusive")
}

function decodeBody(json: JsonObject, model: string, format: NeutralBody["format"]): NeutralBody {
  const contents = member(json, "contents")
  if (contents === undefined) {
    throw invalidRequest("Missing required parameter: 'contents'.", "contents", "missing_required_parameter")
  }
  const tools = decodeTools(json)
  const wantsImage = modalitiesOf(json).includes("IMAGE") || IMAGE_MODEL.test(model)
  return {
    type: "neutral",
    input: withJsonHint(decodeContents(contents), format),
    tools: wantsImage ? [...tools, { type: "image-generation", options: {} }] : tools,
    ...defined({
      instructions: decodeInstructions(json),
      toolChoice: decodeToolChoice(json, tools),
      parallelToolCalls: tools.length > 0 ? true : undefined,
      format,
    }),
  }
}

/** The upstream refuses the format unless the input speaks of it. */
function withJsonHint(input: readonly InputItem[], format: NeutralBody["format"]): readonly InputItem[] {
  if (format?.type !== "json-object") return input
  const speaksOfIt = input.some(item => item.type === "message" && item.parts.some(isAboutJson))
  if (speaksOfIt) return input
  return [...input, { type: "message", role: "developer", parts: [{ type: "text", text: "Answer in JSON." }] }]
}

function isAboutJson(part: ContentPart): boolean {
  return part.type === "text" && part.text.toLowerCase().includes("json")
}

function modalitiesOf(json: JsonObject): readonly string[] {
  const config = objectMember(json, "generationConfig") ?? {}
  return stringsMember(config, "responseModalities").map(modality => modality.toUpperCase())
}

/** Refuses what would silently give the client something else than it asked for. */
function refuseUnserved(json: JsonObject): void {
  const cached = stringMember(json, "cachedContent")
  if (cached) {
    throw new GatewayError("not-found", `There is no cached content ${JSON.stringify(cached.slice(0, 80))} here.`, {
      param: "cachedContent",
      code: "cached_content_not_found",
      hint: "Send the content itself: prompts are cached by the upstream on its own.",
    })
  }
  const modalities = modalitiesOf(json)
  const config = objectMember(json, "generationConfig") ?? {}
  const isSpoken = modalities.length > 0 && modalities.every(modality => modality === "AUDIO")
  if (isSpoken || objectMember(config, "speechConfig") !== undefined) {
    const param = "generationConfig.responseModalities"
    throw invalidRequest("Audio output is not supported.", param, "unsupported_value")
  }
}

function tierOf(json: JsonObject): string | undefined {
  const tier = stringMember(json, "serviceTier")?.toLowerCase()
  return tier === "priority" || tier === "fast" ? tier : undefined
}
