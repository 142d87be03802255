/** A WebSocket's handshake, and what its frames say because there are no headers of single turns. */

import type { TurnContext } from "./provider.ts"
import { CONNECTION_HEADERS, forwarded, isLite, TURN_HEADERS, TURN_STATE_HEADER } from "./turn-headers.ts"

/** Opts in to the protocol. Source: codex-rs/core/src/client.rs. */
const SOCKETS_BETA = "responses_websockets=2026-02-06"

/** The reduced lane's flag as a member of the frame's metadata. */
const LITE_TWIN = "ws_request_header_x_openai_internal_codex_responses_lite"

/** Returns what the handshake says besides who is asking. */
export function socketHeaders(sessionId: string, context: TurnContext): Record<string, string> {
  return { "openai-beta": SOCKETS_BETA, "session-id": sessionId, ...forwarded(context, CONNECTION_HEADERS) }
}

/** Returns what joins the frame's `client_metadata`. */
export function socketMetadata(context: TurnContext): Record<string, string> {
  const names = context.turnStateIsOurs ? [...TURN_HEADERS, TURN_STATE_HEADER] : TURN_HEADERS
  return { ...forwarded(context, names), ...(isLite(context) && { [LITE_TWIN]: "true" }) }
}
