/** Which conversation a Responses request belongs to, as its client says it. */

import { type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { ModelRequest } from "#core/request.ts"
import { sessionHeader, threadHeader } from "#protocols/client-hints.ts"

/** What the conversation is recognised by; members without a value are undefined. */
type SessionWish = { readonly [Key in "cacheKey" | "sessionHint" | "sessionGroup"]: ModelRequest[Key] | undefined }

/**
 * The narrowest name wins, because it becomes the cache key upstream: threads of one session have prompts of their own,
 * and sharing a key costs each of them its cache. The session is what a new thread starts from.
 * Codex repeats its headers in `client_metadata`, for frames that have none.
 * @see https://github.com/openai/codex `codex-rs/core/src/client.rs`
 */
export function decodeSession(headers: Headers, body: JsonObject): SessionWish {
  const metadata = objectAt(body, "client_metadata") ?? {}
  const session = sessionHeader(headers) || stringAt(metadata, "session_id")
  const thread = stringAt(body, "prompt_cache_key") || threadHeader(headers) || stringAt(metadata, "thread_id")
  return {
    cacheKey: thread || session,
    sessionHint: stringAt(body, "user") ?? stringAt(body, "safety_identifier"),
    sessionGroup: thread && session !== thread ? session : undefined,
  }
}
