/** Errors of the Messages dialect: the envelope, and what clients read of it before they try again. */

import type { ErrorKind, GatewayError } from "#core/errors.ts"
import type { RequestId } from "#core/ids.ts"
import type { ErrorReply } from "#protocols/protocol.ts"
import { scrubText } from "#wire/scrub-text.ts"

type KindWords = { readonly type: string; readonly status?: number }

const INVALID: KindWords = { type: "invalid_request_error" }
/** The vendor's own status for "come back later"; 503 would do as well. */
const OVERLOADED: KindWords = { type: "overloaded_error", status: 529 }
const LIMIT: KindWords = { type: "rate_limit_error" }
const API: KindWords = { type: "api_error" }

/** Type and, where it is not the kind's own, status. Trouble with an account is never the client's: no 401, 402 or 403. */
const KIND_WORDS: Readonly<Record<ErrorKind, KindWords>> = {
  "invalid-request": INVALID,
  "context-too-long": INVALID,
  unauthorized: { type: "authentication_error" },
  forbidden: { type: "permission_error" },
  "model-not-found": { type: "not_found_error" },
  "not-found": { type: "not_found_error" },
  "request-timeout": { type: "timeout_error" },
  "request-too-large": { type: "request_too_large" },
  "unsupported-encoding": INVALID,
  "method-not-allowed": INVALID,
  "upgrade-required": INVALID,
  "key-limit": LIMIT,
  "rate-limited": LIMIT,
  "quota-exhausted": LIMIT,
  "credential-rejected": OVERLOADED,
  "no-account": OVERLOADED,
  "key-store-unavailable": API,
  "upstream-overloaded": OVERLOADED,
  "upstream-unavailable": API,
  "upstream-protocol": API,
  timeout: { type: "timeout_error" },
  cancelled: API,
  internal: API,
}

/** A longer wait is not sat out: clients would hang for hours over a spent quota. */
const MAX_PATIENCE_SEC = 60

/** Codes that stand in `error.details`, where the SDK looks for them. */
const DETAILED_CODES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  thread_unsupported_request: { error_code: "thread_unsupported_request", unsupported: ["thread"] },
  thread_not_found: { error_code: "thread_not_found" },
}

/** The envelope as JSON text: the body of a refusal, and the data of an `error` event. */
export function anthropicErrorText(error: GatewayError, requestId: RequestId): string {
  const details =
    error.code !== undefined && Object.hasOwn(DETAILED_CODES, error.code) ? DETAILED_CODES[error.code] : undefined
  return JSON.stringify({
    type: "error",
    error: {
      type: KIND_WORDS[error.kind].type,
      message: messageOf(error),
      ...(details !== undefined && { details }),
    },
    request_id: requestId,
  })
}

/** Encodes an error as an HTTP answer. */
export function encodeMessagesError(error: GatewayError, requestId: RequestId): ErrorReply {
  const status = KIND_WORDS[error.kind].status ?? error.status
  const retryAfterSec = retryAfterOf(error, status)
  return {
    status,
    headers: {
      "content-type": "application/json",
      "request-id": requestId,
      "x-request-id": requestId,
      ...(retryAfterSec !== undefined && { "retry-after": String(retryAfterSec) }),
      ...(!isWorthRetrying(status, retryAfterSec) && { "x-should-retry": "false" }),
    },
    body: anthropicErrorText(error, requestId),
  }
}

/** One line; the phrases are those that clients look for. */
function messageOf(error: GatewayError): string {
  const text = scrubText(error.message).replace(/\s+/g, " ")
  if (error.kind === "context-too-long") return tooLongText(error)
  if (error.kind === "model-not-found") return `model: ${text}`
  if (error.kind !== "invalid-request") return text
  // Claude Code then sends the conversation again without its thinking.
  if (error.upstream?.code === "invalid_encrypted_content") return "messages: Invalid `signature` in `thinking` block"
  const { param } = error
  // A refused tool must be named first: clients look for it at the beginning and send the request without it.
  const isNamed = param === undefined || text.includes(param) || text.startsWith("Input tag")
  return isNamed ? text : `${param}: ${text}`
}

/** Claude Code reads the two numbers to know how much it has to drop; the first one must be the larger. */
function tooLongText({ window }: GatewayError): string {
  if (window === undefined) return "prompt is too long"
  const { inputTokens, limitTokens } = window
  return `prompt is too long: ${Math.max(inputTokens, limitTokens + 1)} tokens > ${limitTokens} maximum`
}

/** Whole seconds, at least 1, with every answer that a client may come back from. */
function retryAfterOf({ retryAfterMs }: GatewayError, status: number): number | undefined {
  if (retryAfterMs !== undefined) return Math.max(1, Math.ceil(retryAfterMs / 1000))
  return status === 429 || status === 503 || status === 529 ? 1 : undefined
}

function isWorthRetrying(status: number, retryAfterSec: number | undefined): boolean {
  if (retryAfterSec !== undefined && retryAfterSec > MAX_PATIENCE_SEC) return false
  return status >= 500 || status === 408 || status === 429
}
