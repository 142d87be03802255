/** What a caller's headers say about it: which program it is and which conversation it is in. */

import { type JsonObject, objectAt } from "#core/json.ts"

/** Header of the reduced lane the Codex CLI uses for its newer models. */
const RESPONSES_LITE_HEADER = "x-openai-internal-codex-responses-lite"

/**
 * The same mark in `client_metadata`, used where frames carry no headers.
 * @see https://github.com/openai/codex `codex-rs/core/src/client.rs`
 */
const RESPONSES_LITE_METADATA = "ws_request_header_x_openai_internal_codex_responses_lite"

/** Headers that name one thread of messages; Codex sends the first, older versions of it the last. */
const THREAD_HEADERS = ["thread-id", "thread_id", "conversation_id"] as const

/** Headers that name a session, of which sub-agents may be a part. Per-request ids do not belong here. */
const SESSION_HEADERS = ["session-id", "session_id", "x-session-id", "x-session-affinity"] as const

/** True for the Codex CLI, its IDE extensions and Codex Desktop. */
export function isCodexClient(headers: Headers): boolean {
  return startsWithWord(headers, "user-agent", "codex") || startsWithWord(headers, "originator", "codex")
}

/** True for clients of the Messages dialect, at addresses that other dialects use as well. */
export function isMessagesClient(headers: Headers): boolean {
  return headers.has("anthropic-version") || startsWithWord(headers, "user-agent", "claude-")
}

/** True for clients of the Gemini dialect, at addresses that other dialects use as well. */
export function isGeminiClient(headers: Headers): boolean {
  return headers.has("x-goog-api-key") || headers.has("x-goog-api-client")
}

/** True for Cursor, which crashes on a tool call that has no `function.name`. */
export function isCursorClient(headers: Headers): boolean {
  return startsWithWord(headers, "user-agent", "cursor/")
}

/** True when the header or its twin in `client_metadata` asks for the reduced lane. */
export function isResponsesLite(headers: Headers, body: JsonObject): boolean {
  if (headers.get(RESPONSES_LITE_HEADER)?.trim().toLowerCase() === "true") return true
  const mark = objectAt(body, "client_metadata")?.[RESPONSES_LITE_METADATA]
  return mark === "true" || mark === true
}

/** Returns the id of the thread the caller states in a header, or undefined. */
export function threadHeader(headers: Headers): string | undefined {
  return firstOf(headers, THREAD_HEADERS)
}

/** Returns the id of the session the caller states in a header, or undefined. */
export function sessionHeader(headers: Headers): string | undefined {
  return firstOf(headers, SESSION_HEADERS)
}

function firstOf(headers: Headers, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = headers.get(name)?.trim()
    if (value) return value
  }
  return undefined
}

function startsWithWord(headers: Headers, name: string, word: string): boolean {
  return headers.get(name)?.toLowerCase().startsWith(word) ?? false
}
