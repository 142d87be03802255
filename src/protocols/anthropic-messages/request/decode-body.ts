/** The conversation, its tools and the shape of its answer → neutral body. */

import { arrayAt, isJsonObject, type JsonObject } from "#core/json.ts"
import type { NeutralBody } from "#core/request.ts"
import { invalidRequest } from "#protocols/check-body.ts"
import { defined } from "#protocols/defined.ts"

import { decodeFormat } from "./decode-format.ts"
import { decodeMessages } from "./decode-messages.ts"
import { decodeSystem } from "./decode-system.ts"
import { decodeToolChoice } from "./decode-tool-choice.ts"
import { decodeTools } from "./decode-tools.ts"

/** Throws `invalid-request`, among others for messages in which nobody says anything. */
export function decodeBody(body: JsonObject): NeutralBody {
  const input = decodeMessages((arrayAt(body, "messages") ?? []).filter(isJsonObject))
  const isSpoken = input.some(item => item.type !== "message" || item.role !== "developer")
  if (!isSpoken)
    throw invalidRequest("The messages are empty: there is nothing to answer.", "messages", "invalid_value")
  const tools = decodeTools(body)
  return {
    type: "neutral",
    ...defined({ instructions: decodeSystem(body), format: decodeFormat(body) }),
    input,
    tools,
    ...decodeToolChoice(body, tools),
  }
}
