/** Writes the frame that asks for a turn. */

import type { JsonObject } from "#core/json.ts"
import type { TurnText } from "#core/socket.ts"

import type { Link } from "./chain.ts"

const HEAD = '{"type":"response.create",'

/** The whole request: its text is used as it is, unless something has to join it. */
export function wholeFrame({ body, text, metadata }: TurnText): string {
  if (Object.keys(metadata).length > 0)
    return JSON.stringify({ type: "response.create", ...withMetadata(body, metadata) })
  return HEAD + text.slice(1)
}

/** Only what is new, on top of a response that the same socket has brought. */
export function chainedFrame({ body, metadata }: TurnText, { responseId, newItems }: Link): string {
  const chained = { ...withMetadata(body, metadata), previous_response_id: responseId, input: newItems }
  return JSON.stringify({ type: "response.create", ...chained })
}

function withMetadata(body: JsonObject, metadata: Readonly<Record<string, string>>): JsonObject {
  if (Object.keys(metadata).length === 0) return body
  const own = body["client_metadata"]
  return { ...body, client_metadata: { ...(typeof own === "object" && !Array.isArray(own) ? own : {}), ...metadata } }
}
