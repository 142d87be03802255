/** Which conversation a request belongs to, as its client says it. */

import { isJsonObject, type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { ModelRequest } from "#core/request.ts"
import { sessionHeader } from "#protocols/client-hints.ts"

const SESSION_HEADER = "x-claude-code-session-id"
const AGENT_HEADER = "x-claude-code-agent-id"

/** The older form: `user_<hash>_account_<uuid>_session_<uuid>`. */
const LEGACY_USER_ID = /_session_([a-f0-9-]+)$/

/** What the conversation is recognised by. */
export type SessionWish = Pick<ModelRequest, "cacheKey" | "sessionHint" | "sessionGroup">

/**
 * A session's main agent and its sub-agents have prompts of their own, so each has its own key; the session is what they
 * have in common. A user id without a session is a weak hint.
 */
export function decodeSession(headers: Headers, body: JsonObject): SessionWish {
  const userId = stringAt(objectAt(body, "metadata") ?? {}, "user_id")
  const session = headers.get(SESSION_HEADER)?.trim() || sessionOf(userId) || sessionHeader(headers)
  if (!session) return userId ? { sessionHint: userId } : {}
  const agent = headers.get(AGENT_HEADER)?.trim() || "main"
  const model = stringAt(body, "model") ?? ""
  return { cacheKey: JSON.stringify([session, agent, model]), sessionGroup: session }
}

function sessionOf(userId: string | undefined): string | undefined {
  if (userId === undefined) return undefined
  if (!userId.startsWith("{")) return LEGACY_USER_ID.exec(userId)?.[1]
  try {
    const json: unknown = JSON.parse(userId)
    return isJsonObject(json) ? stringAt(json, "session_id") : undefined
  } catch {
    // An id that merely looks like JSON is an id all the same: the caller takes it whole.
    return undefined
  }
}
