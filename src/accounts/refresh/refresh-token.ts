/** One exchange of a refresh token, and what the answer means, as a value. */

import { compact } from "#accounts/formats/compact.ts"
import { GatewayError } from "#core/errors.ts"
import { type JsonObject, numberAt, objectAt, parseJsonObject, stringAt } from "#core/json.ts"
import type { SendUpstream, UpstreamReply } from "#core/upstream.ts"

import { isPermanentCode, isSuspendedCode, NOT_SENT_CODES } from "./refresh-codes.ts"

/** Tokens of a successful exchange; what the answer leaves out keeps its old value. */
export type RenewedTokens = {
  readonly accessToken?: string
  readonly refreshToken?: string
  readonly idToken?: string
  /** Seconds the access token lives, when the answer says so; its own `exp` counts more. */
  readonly expiresInSec?: number
}

/** Why an exchange gave no tokens. `code` is the endpoint's own or a short word of ours; safe to show. */
export type RefreshFailureClass =
  /** The refresh token is spent, revoked or expired: only a new sign-in helps. */
  | "permanent"
  /** The account or its workspace was closed. */
  | "suspended"
  /** The endpoint refuses this program, not this account. */
  | "configuration"
  /** Nothing was decided; ask again later. */
  | "transient"
  /** The request may have been carried out, the answer was lost: the refresh token may be spent. */
  | "ambiguous"

/** What one exchange came to. */
export type RefreshAnswer =
  | { readonly type: "renewed"; readonly tokens: RenewedTokens }
  | { readonly type: "failed"; readonly class: RefreshFailureClass; readonly code: string; readonly status?: number }

/** Where and as whom to ask. */
export type TokenEndpoint = { readonly url: string; readonly clientId: string }

/** The endpoint and public client id of the Codex client: https://github.com/openai/codex, codex-rs/login. */
export const OPENAI_TOKEN_ENDPOINT: TokenEndpoint = {
  url: "https://auth.openai.com/oauth/token",
  clientId: "app_EMoamEEZ73f0CkXaXp7hrann",
}

/** What one exchange needs. */
export type ExchangeParts = {
  readonly send: SendUpstream
  readonly endpoint: TokenEndpoint
  readonly refreshToken: string
  /** The account's own way out; undefined = the configured one. */
  readonly egress: string | undefined
  /** The exchange's own deadline; never a client's signal. */
  readonly signal: AbortSignal
}

function failed(failureClass: RefreshFailureClass, code: string, status?: number): RefreshAnswer {
  return { type: "failed", class: failureClass, code, ...(status === undefined ? {} : { status }) }
}

/** True when some error in the chain of causes proves that no byte of the request left this machine. */
function wasNotSent(error: unknown): boolean {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; current = current.cause, depth++) {
    if ("code" in current && typeof current.code === "string" && NOT_SENT_CODES.has(current.code)) return true
  }
  return false
}

/** Reads a failure to get any answer. */
function classifySendError(error: unknown): RefreshAnswer {
  if (wasNotSent(error)) return failed("transient", "not-sent")
  const code = error instanceof GatewayError ? error.kind : "connection-lost"
  return failed("ambiguous", code)
}

/** Reads `{error: {code}}`, `{error: "invalid_grant"}` and `{code}`. */
function errorCodeOf(body: JsonObject): string | undefined {
  const error = objectAt(body, "error")
  if (error !== undefined) return stringAt(error, "code") ?? stringAt(error, "type")
  return stringAt(body, "error") ?? stringAt(body, "code")
}

function looksLikeHtml(text: string): boolean {
  return text.trimStart().startsWith("<")
}

function classifySuccess(status: number, text: string): RefreshAnswer {
  // A page in place of an answer is an edge or a captive portal: the endpoint itself never saw the request.
  if (looksLikeHtml(text)) return failed("transient", "html", status)
  const body = parseJsonObject(text)
  const tokens = body === undefined ? {} : readTokens(body)
  // Success without tokens: the old token may be spent all the same.
  if (tokens.accessToken === undefined && tokens.refreshToken === undefined) {
    return failed("ambiguous", "no-tokens", status)
  }
  return { type: "renewed", tokens }
}

function readTokens(body: JsonObject): RenewedTokens {
  const textAt = (key: string) => stringAt(body, key)?.trim() || undefined
  return compact({
    accessToken: textAt("access_token"),
    refreshToken: textAt("refresh_token"),
    idToken: textAt("id_token"),
    expiresInSec: numberAt(body, "expires_in"),
  })
}

const CONFIGURATION_CODES: ReadonlySet<string> = new Set([
  "invalid_client",
  "unauthorized_client",
  "unsupported_grant_type",
])

function isTransientStatus(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500
}

function classifyRefusal(status: number, text: string): RefreshAnswer {
  if (isTransientStatus(status)) return failed("transient", `status-${status}`, status)
  const body = parseJsonObject(text)
  // No JSON, no verdict: challenge pages and empty bodies come from in front of the endpoint.
  if (body === undefined) return failed("transient", looksLikeHtml(text) ? "html" : "no-json", status)
  const code = errorCodeOf(body)
  if (code !== undefined && isSuspendedCode(code)) return failed("suspended", code, status)
  if (code !== undefined && CONFIGURATION_CODES.has(code)) return failed("configuration", code, status)
  if (status === 401 || (code !== undefined && isPermanentCode(code))) {
    return failed("permanent", code ?? `status-${status}`, status)
  }
  if (status === 403) return failed("transient", code ?? "forbidden", status)
  return failed("configuration", code ?? `status-${status}`, status)
}

async function readAnswer(reply: UpstreamReply): Promise<RefreshAnswer> {
  const isSuccess = reply.status >= 200 && reply.status < 300
  let text: string
  try {
    text = await new Response(reply.body ?? null).text()
  } catch {
    // The status is known, the body is lost: after a success the new tokens went with it.
    return isSuccess ? failed("ambiguous", "answer-cut-off", reply.status) : classifyRefusal(reply.status, "")
  }
  return isSuccess ? classifySuccess(reply.status, text) : classifyRefusal(reply.status, text)
}

/**
 * Exchanges one refresh token. Never rejects: every way it can go wrong is a class.
 * JSON body without scope, as the Codex client sends it (codex-rs/login/src/auth/manager.rs).
 */
export async function exchangeRefreshToken({
  send,
  endpoint,
  refreshToken,
  egress,
  signal,
}: ExchangeParts): Promise<RefreshAnswer> {
  const body = JSON.stringify({
    client_id: endpoint.clientId,
    grant_type: "refresh_token",
    refresh_token: refreshToken,
  })
  const headers = { "content-type": "application/json", accept: "application/json" }
  let reply: UpstreamReply
  try {
    reply = await send({ method: "POST", url: endpoint.url, headers, body, egress }, signal)
  } catch (error) {
    // Turned into a value with its class: the caller has to treat a lost answer apart from a refusal.
    return classifySendError(error)
  }
  return readAnswer(reply)
}
