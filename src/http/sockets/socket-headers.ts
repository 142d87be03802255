/** Headers of a turn on a socket: those of the handshake, and what the client repeats for each turn in its body. */

import { type JsonObject, objectAt } from "#core/json.ts"

/** A socket has no headers for each turn, so Codex puts them into `client_metadata` under their own names. */
const REPEATED_HEADERS = [
  "x-codex-turn-state",
  "x-codex-turn-metadata",
  "x-codex-window-id",
  "x-codex-parent-thread-id",
  "x-openai-subagent",
] as const

/** What Codex reads of an answer's headers; on a socket they come in an event. */
const ANSWER_HEADERS = ["x-codex-turn-state", "x-models-etag", "x-reasoning-included", "openai-model"] as const

/** Returns the headers of one turn. */
export function turnHeadersOf(handshake: Headers, body: JsonObject): Headers {
  const headers = new Headers(handshake)
  const metadata = objectAt(body, "client_metadata") ?? {}
  for (const name of REPEATED_HEADERS) {
    const value = metadata[name]
    // The turn state of the handshake belongs to the first turn only.
    if (typeof value === "string" && isHeaderValue(value)) headers.set(name, value)
    else if (name === "x-codex-turn-state") headers.delete(name)
  }
  return headers
}

/** The event that carries an answer's headers; undefined when there is nothing to say. */
export function headersFrame(headers: Readonly<Record<string, string>>): string | undefined {
  const told = ANSWER_HEADERS.filter(name => headers[name] !== undefined)
  if (told.length === 0) return undefined
  return JSON.stringify({
    type: "response.metadata",
    headers: Object.fromEntries(told.map(name => [name, headers[name]])),
  })
}

function isHeaderValue(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text)
}
