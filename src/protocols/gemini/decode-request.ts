/** Gemini body → neutral request. */

import { type JsonObject, stringAt } from "#core/json.ts"
import type { ClientCall, ModelRequest, ReplyOptions } from "#core/request.ts"
import { sessionHeader } from "#protocols/client-hints.ts"
import { defined } from "#protocols/defined.ts"

import { decodeBody } from "./request/decode-body.ts"
import { decodeFormat } from "./request/decode-format.ts"
import { decodeThinking } from "./request/decode-thinking.ts"
import { objectMember, stringMember, stringsMember } from "./request/members.ts"
import { servedBody } from "./request/served-body.ts"
import { checkGeminiBody } from "./schema.ts"

/** Most stop sequences the dialect knows. */
const MAX_STOPS = 5

/**
 * Decodes a call whose address has been written into the body: `model`, `stream` and `alt` (`sse` or `json`).
 * Throws `invalid-request` with `param` and `code`.
 */
export function decodeGeminiRequest(call: ClientCall): ModelRequest {
  checkGeminiBody(call.json)
  const json = servedBody(call.json)
  // The schema check has made sure of the string.
  const model = stringAt(call.json, "model") ?? ""
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

function tierOf(json: JsonObject): string | undefined {
  const tier = stringMember(json, "serviceTier")?.toLowerCase()
  return tier === "priority" || tier === "fast" ? tier : undefined
}
