/** Ollama body → neutral request. */

import { arrayAt, isJsonObject, type JsonObject, stringAt } from "#core/json.ts"
import type { ClientCall, ModelRequest, NeutralBody, ReplyOptions } from "#core/request.ts"
import { withoutNulls } from "#protocols/check-body.ts"
import { sessionHeader } from "#protocols/client-hints.ts"
import { defined } from "#protocols/defined.ts"
import { withJsonHint } from "#protocols/json-hint.ts"

import { decodeImages } from "./request/decode-images.ts"
import { type Conversation, decodeMessages } from "./request/decode-messages.ts"
import { decodePrompt } from "./request/decode-prompt.ts"
import { decodeTools } from "./request/decode-tools.ts"
import { decodeFormat, decodeLoad, decodeStops, decodeThink } from "./request/decode-wishes.ts"
import { checkOllamaBody } from "./schema.ts"

/**
 * Decodes a call whose address has been written into the body: `endpoint` is `chat` or `generate`.
 * Throws `invalid-request` with `param` and `code`.
 */
export function decodeOllamaRequest(call: ClientCall): ModelRequest {
  const json = withoutNulls(call.json)
  checkOllamaBody(json)
  const isChat = json["endpoint"] !== "generate"
  const isSilent = isChat ? isEmptyList(json, "messages") : !stringAt(json, "prompt") && isEmptyList(json, "images")
  const { effort, summary, thinking } = decodeThink(json["think"])
  const { format, unwrap } = decodeFormat(json["format"])
  const stops = decodeStops(json)
  const reply: ReplyOptions = {
    includeUsage: false,
    legacyFunctions: false,
    customAsFunction: false,
    codexClient: false,
    ...defined({ thinking, unwrap }),
    ...(stops.length > 0 && { stopSequences: stops }),
    ...(!isChat && { asCompletion: true }),
    ...(isSilent && { wantsNothing: true, loads: decodeLoad(json) }),
  }
  return {
    protocol: call.protocol,
    // The schema check has made sure of the string.
    model: stringAt(json, "model") ?? "",
    body: isSilent ? SILENCE : decodeBody(json, isChat ? chatOf(json) : promptOf(json), format),
    stream: json["stream"] !== false,
    ...defined({ effort, summary, cacheKey: sessionHeader(call.headers) }),
    reply,
  }
}

const SILENCE: NeutralBody = { type: "neutral", input: [], tools: [] }

function isEmptyList(json: JsonObject, name: string): boolean {
  return (arrayAt(json, name) ?? []).length === 0
}

function chatOf(json: JsonObject): Conversation {
  const messages = (arrayAt(json, "messages") ?? []).filter(isJsonObject)
  return decodeMessages(messages, decodeImages(json["images"], "images"))
}

function promptOf(json: JsonObject): Conversation {
  return decodePrompt(json, decodeImages(json["images"], "images"))
}

function decodeBody(json: JsonObject, conversation: Conversation, format: NeutralBody["format"]): NeutralBody {
  const tools = decodeTools(json)
  const { instructions, input } = conversation
  return {
    type: "neutral",
    input: withJsonHint(input, format),
    tools,
    ...defined({ instructions, parallelToolCalls: tools.length > 0 ? true : undefined, format }),
  }
}
