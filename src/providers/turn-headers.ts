/** Headers of upstream requests: identity, credential, and the few a Codex client may pass through. */

import type { Account } from "#core/account.ts"

import type { ClientIdentity, TurnContext } from "./provider.ts"

/**
 * Client headers that mean something to the Codex backend and nothing about the client's machine or key.
 * Source: https://github.com/openai/codex/tree/main/codex-rs/core/src (client and its request metadata).
 */
export const CONNECTION_HEADERS = ["x-codex-beta-features", "x-responsesapi-include-timing-metrics"] as const

/** Those of them that differ from turn to turn. */
export const TURN_HEADERS = [
  "x-codex-turn-metadata",
  "x-codex-window-id",
  "x-codex-parent-thread-id",
  "x-openai-subagent",
] as const

const FORWARDED_HEADERS = [...TURN_HEADERS, ...CONNECTION_HEADERS] as const

/** Keeps the requests of one turn on one machine. */
export const TURN_STATE_HEADER = "x-codex-turn-state"
const LITE_HEADER = "x-openai-internal-codex-responses-lite"

/** Returns the secret an account puts into its `Authorization` header. */
export function bearerOf(account: Account): string {
  const { credential } = account
  return credential.type === "chatgpt" ? credential.accessToken : credential.apiKey
}

/**
 * Returns the headers that every request of a Codex account carries. Newer models answer 404 unless `originator` and
 * the user agent's product are both of the Codex family, so both come from one identity.
 * Sources: https://github.com/earendil-works/pi/issues/6615, https://github.com/router-for-me/CLIProxyAPI/issues/4161.
 */
export function codexHeaders(account: Account, identity: ClientIdentity): Record<string, string> {
  return {
    authorization: `Bearer ${bearerOf(account)}`,
    ...(account.workspaceId !== undefined && { "chatgpt-account-id": account.workspaceId }),
    ...(account.fedramp === true && { "x-openai-fedramp": "true" }),
    originator: identity.originator,
    "user-agent": identity.userAgent,
    version: identity.clientVersion,
  }
}

/** Returns what a turn adds: the conversation, the lane, and a Codex client's own headers. */
export function turnHeaders(context: TurnContext): Record<string, string> {
  const headers: Record<string, string> = { "content-type": "application/json" }
  if (context.sessionId !== undefined) headers["session-id"] = context.sessionId
  if (isLite(context)) headers[LITE_HEADER] = "true"
  const names = context.turnStateIsOurs ? [...FORWARDED_HEADERS, TURN_STATE_HEADER] : FORWARDED_HEADERS
  return { ...headers, ...forwarded(context, names) }
}

/** Returns those of a Codex client's headers that are named; none of any other client. */
export function forwarded(context: TurnContext, names: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {}
  if (!context.codexClient || context.clientHeaders === undefined) return headers
  for (const name of names) {
    const value = context.clientHeaders.get(name)
    if (value !== null && value !== "") headers[name] = value
  }
  return headers
}

/** The flag must match the body: it stays when the client gave it, unless the caller knows better. */
export function isLite({ lite, codexClient, clientHeaders }: TurnContext): boolean {
  return lite ?? (codexClient && clientHeaders?.get(LITE_HEADER) === "true")
}
