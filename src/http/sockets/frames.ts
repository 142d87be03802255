/** Frames of Responses over WebSocket: what clients send, and what the gateway says by itself. */

import type { GatewayError } from "#core/errors.ts"
import type { RequestId } from "#core/ids.ts"
import { isJsonObject, type JsonObject, objectAt, parseJsonObject, stringAt } from "#core/json.ts"
import { invalidRequest } from "#protocols/check-body.ts"
import { encodeResponsesError } from "#protocols/openai-responses/encode-error.ts"

/** What a client asks for. `warm-up` wants no answer, only a response to go on from. */
export type ClientFrame =
  | { readonly type: "create"; readonly body: JsonObject }
  | { readonly type: "append"; readonly body: JsonObject }
  | { readonly type: "warm-up"; readonly body: JsonObject }
  | { readonly type: "cancel" }
  | { readonly type: "processed" }

/** Members that steer the socket and are no part of a request. */
const SOCKET_MEMBERS: ReadonlySet<string> = new Set(["type", "generate", "event_id", "response"])

/** Error headers that mean something in a frame. */
const FRAME_HEADERS = ["retry-after", "x-request-id"] as const

/** Reads a frame. Throws `invalid-request` for one that is no JSON object or of an unknown type. */
export function readClientFrame(text: string): ClientFrame {
  const frame = parseJsonObject(text)
  if (frame === undefined) throw invalidRequest("A frame must be one JSON object.", "frame", "invalid_json")
  const type = stringAt(frame, "type") ?? "response.create"
  switch (type) {
    case "response.create":
      return { type: frame["generate"] === false ? "warm-up" : "create", body: bodyOf(frame) }
    case "response.append":
      return { type: "append", body: bodyOf(frame) }
    case "response.cancel":
      return { type: "cancel" }
    case "response.processed":
      return { type: "processed" }
    default:
      throw invalidRequest(`Frames of type '${type.slice(0, 80)}' are not served here.`, "type", "invalid_value")
  }
}

/** Some clients put the request into a member, as in the realtime API. */
function bodyOf(frame: JsonObject): JsonObject {
  const nested = objectAt(frame, "response") ?? {}
  const own = Object.entries(frame).filter(([key]) => !SOCKET_MEMBERS.has(key))
  return { ...nested, ...Object.fromEntries(own) }
}

/** An error as a frame. Codex reads `status` and acts by it as by an HTTP answer. */
export function errorFrame(error: GatewayError, requestId: RequestId): string {
  const reply = encodeResponsesError(error, requestId)
  const headers = FRAME_HEADERS.flatMap(name => {
    const value = reply.headers[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return JSON.stringify({
    type: "error",
    status: reply.status,
    error: objectAt(parseJsonObject(reply.body) ?? {}, "error") ?? {},
    headers: Object.fromEntries(headers),
  })
}

/** The stream's flat `error` event says no status; on a socket it would not be understood. */
export function withStatus(event: JsonObject): string {
  if (isJsonObject(event["error"])) return JSON.stringify({ status: 500, ...event })
  const { code, message, param } = event
  const error = { type: "server_error", code: code ?? null, message: message ?? "", param: param ?? null }
  return JSON.stringify({ type: "error", status: 500, error })
}

/** The two frames of an answer with nothing in it, and the response object they carry. */
export function warmUpFrames(id: string, model: string, nowSec: number) {
  const head = { id, object: "response", created_at: nowSec, model, output: [], error: null, incomplete_details: null }
  const usage = {
    input_tokens: 0,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 0,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 0,
  }
  const response = JSON.stringify({ ...head, status: "completed", usage })
  const created = JSON.stringify({ ...head, status: "in_progress", usage: null })
  return {
    response,
    frames: [
      `{"type":"response.created","sequence_number":0,"response":${created}}`,
      `{"type":"response.completed","sequence_number":1,"response":${response}}`,
    ],
  }
}
