/** The error object that both OpenAI dialects share, in HTTP bodies and in streams. */

import type { ErrorKind, GatewayError } from "#core/errors.ts"
import type { RequestId } from "#core/ids.ts"
import { scrubText } from "#wire/scrub-text.ts"

import type { ErrorReply } from "./protocol.ts"

type KindWords = { readonly type: string; readonly code: string }

const CLIENT = "invalid_request_error"
const SERVER = "server_error"
const LIMIT = "rate_limit_error"

/**
 * Default words per kind. Clients decide by `type` whether to try again, so a failure that is not theirs is never an
 * `invalid_request_error`.
 */
const KIND_WORDS: Readonly<Record<ErrorKind, KindWords>> = {
  "invalid-request": { type: CLIENT, code: "invalid_request" },
  "context-too-long": { type: CLIENT, code: "context_length_exceeded" },
  unauthorized: { type: CLIENT, code: "invalid_api_key" },
  forbidden: { type: CLIENT, code: "permission_denied" },
  "model-not-found": { type: CLIENT, code: "model_not_found" },
  "not-found": { type: CLIENT, code: "not_found" },
  "request-timeout": { type: CLIENT, code: "request_timeout" },
  "request-too-large": { type: CLIENT, code: "request_too_large" },
  "unsupported-encoding": { type: CLIENT, code: "unsupported_content_encoding" },
  "method-not-allowed": { type: CLIENT, code: "method_not_allowed" },
  "upgrade-required": { type: CLIENT, code: "upgrade_required" },
  "key-limit": { type: LIMIT, code: "rate_limit_exceeded" },
  "rate-limited": { type: LIMIT, code: "rate_limit_exceeded" },
  "quota-exhausted": { type: LIMIT, code: "usage_limit_reached" },
  "credential-rejected": { type: SERVER, code: "account_unavailable" },
  "no-account": { type: SERVER, code: "no_available_accounts" },
  "key-store-unavailable": { type: SERVER, code: "key_store_unavailable" },
  "upstream-overloaded": { type: SERVER, code: "server_is_overloaded" },
  "upstream-unavailable": { type: SERVER, code: "upstream_error" },
  "upstream-protocol": { type: SERVER, code: "upstream_stream_break" },
  timeout: { type: SERVER, code: "upstream_timeout" },
  cancelled: { type: SERVER, code: "request_cancelled" },
  internal: { type: SERVER, code: "internal_error" },
}

/** Failures an operator looks up by id: it stands in the message because users quote messages, not headers. */
const LOOKED_UP: ReadonlySet<ErrorKind> = new Set<ErrorKind>([
  "internal",
  "upstream-overloaded",
  "upstream-unavailable",
  "upstream-protocol",
])

/** Limits that pass by themselves: clients get a time even when the upstream named none. */
const PASSING: ReadonlySet<ErrorKind> = new Set<ErrorKind>([
  "rate-limited",
  "quota-exhausted",
  "key-limit",
  "no-account",
  "key-store-unavailable",
  "upstream-overloaded",
])

/** The four keys every error object has; `type` and `code` are what clients branch on. */
export type OpenAiError = {
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string
}

/** An error object with what clients show of a spent usage window: plan, and when it opens again. */
export type OpenAiErrorWithReset = OpenAiError & {
  readonly plan_type?: string
  /** Seconds since the epoch. */
  readonly resets_at?: number
  readonly resets_in_seconds?: number
}

/** Builds the error object. The message is scrubbed and cut; the code is the upstream's own when the error kept it. */
export function openAiErrorOf(error: GatewayError, requestId: RequestId): OpenAiErrorWithReset {
  const words = KIND_WORDS[error.kind]
  const message = scrubText(error.message)
  return {
    message: LOOKED_UP.has(error.kind) ? `${message} (id ${requestId})` : message,
    type: words.type,
    param: error.param ?? null,
    code: error.code ?? words.code,
    ...(error.kind === "quota-exhausted" && resetOf(error)),
  }
}

/** The HTTP form. `type` replaces the kind's own word where a dialect needs another. */
export function openAiErrorReply(error: GatewayError, requestId: RequestId, type?: string): ErrorReply {
  const object = openAiErrorOf(error, requestId)
  const retryAfterSec = retryAfterSecOf(error)
  return {
    status: error.status,
    headers: {
      "content-type": "application/json",
      "x-request-id": requestId,
      ...(retryAfterSec !== undefined && { "retry-after": String(retryAfterSec) }),
    },
    body: JSON.stringify({ error: type === undefined ? object : { ...object, type } }),
  }
}

function resetOf({ upstream, retryAfterMs }: GatewayError): Partial<OpenAiErrorWithReset> {
  return {
    ...(upstream?.planType !== undefined && { plan_type: upstream.planType }),
    ...(upstream?.resetsAtSec !== undefined && { resets_at: upstream.resetsAtSec }),
    ...(retryAfterMs !== undefined && { resets_in_seconds: Math.ceil(retryAfterMs / 1000) }),
  }
}

/** Whole seconds, at least 1: Codex does not retry a 429 without this header (RFC 9110 §10.2.3). */
function retryAfterSecOf({ kind, retryAfterMs }: GatewayError): number | undefined {
  if (retryAfterMs !== undefined) return Math.max(1, Math.ceil(retryAfterMs / 1000))
  return PASSING.has(kind) ? 1 : undefined
}
