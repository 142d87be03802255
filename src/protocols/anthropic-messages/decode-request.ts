/** Messages body → neutral request. */

import { type JsonObject, stringAt } from "#core/json.ts"
import type { ClientCall, ModelRequest } from "#core/request.ts"
import { withoutNulls } from "#protocols/check-body.ts"
import { defined } from "#protocols/defined.ts"

import { decodeBody } from "./request/decode-body.ts"
import { decodeSession } from "./request/decode-session.ts"
import { decodeThinking } from "./request/decode-thinking.ts"
import { refuseThread } from "./request/refuse-thread.ts"
import { checkMessagesBody } from "./schema.ts"

/** Asks for a larger window than the ordinary one; every model here has the window it has. */
const WINDOW_SUFFIX = /(\[1m\]|:1m)$/i

/** Decodes a Messages call, or a count of its tokens. Throws `invalid-request` with `param` and `code`. */
export function decodeMessagesRequest(call: ClientCall): ModelRequest {
  const json = withoutNulls(call.json)
  checkMessagesBody(json)
  refuseThread(json)
  const body = decodeBody(json)
  const { effort, summary, thinking } = decodeThinking(json)
  const searchFirst = body.tools.length > 0 && body.tools.every(tool => tool.type === "web-search")
  return {
    protocol: call.protocol,
    model: modelOf(json),
    body,
    stream: json["stream"] === true,
    ...defined({ effort, summary, serviceTier: json["speed"] === "fast" ? "fast" : undefined }),
    ...decodeSession(call.headers, json),
    reply: {
      includeUsage: false,
      legacyFunctions: false,
      customAsFunction: false,
      codexClient: false,
      ...defined({ thinking }),
      ...(searchFirst && { searchFirst }),
      // Warms the vendor's cache without an answer; here there is nothing to warm by hand.
      ...(json["max_tokens"] === 0 && { wantsNothing: true }),
    },
  }
}

/** Answers repeat the name without the suffix, as the vendor's own do. */
function modelOf(json: JsonObject): string {
  // The schema check has made sure of the string.
  return (stringAt(json, "model") ?? "").trim().replace(WINDOW_SUFFIX, "")
}
