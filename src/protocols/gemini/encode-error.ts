/** Errors of the Gemini dialect: Google's envelope with a number, a word and what clients read before they try again. */

import type { ErrorKind, GatewayError } from "#core/errors.ts"
import type { RequestId } from "#core/ids.ts"
import type { ErrorReply } from "#protocols/protocol.ts"
import { UNIMPLEMENTED_CODE } from "#protocols/unimplemented.ts"
import { scrubText } from "#wire/scrub-text.ts"

type KindWords = { readonly status: number; readonly word: string }

const INVALID: KindWords = { status: 400, word: "INVALID_ARGUMENT" }
const NOT_FOUND: KindWords = { status: 404, word: "NOT_FOUND" }
const LIMIT: KindWords = { status: 429, word: "RESOURCE_EXHAUSTED" }
const UNAVAILABLE: KindWords = { status: 503, word: "UNAVAILABLE" }
const LATE: KindWords = { status: 504, word: "DEADLINE_EXCEEDED" }

/** What the vendor has and we have not. */
const UNIMPLEMENTED: KindWords = { status: 501, word: "UNIMPLEMENTED" }

/** Trouble with an account is never the client's: no 401 or 403. */
const KIND_WORDS: Readonly<Record<ErrorKind, KindWords>> = {
  "invalid-request": INVALID,
  "context-too-long": INVALID,
  unauthorized: { status: 401, word: "UNAUTHENTICATED" },
  forbidden: { status: 403, word: "PERMISSION_DENIED" },
  "model-not-found": NOT_FOUND,
  "not-found": NOT_FOUND,
  "request-timeout": LATE,
  "request-too-large": INVALID,
  "unsupported-encoding": INVALID,
  "method-not-allowed": INVALID,
  "upgrade-required": INVALID,
  "key-limit": LIMIT,
  "rate-limited": LIMIT,
  "quota-exhausted": LIMIT,
  "credential-rejected": UNAVAILABLE,
  "no-account": UNAVAILABLE,
  "key-store-unavailable": UNAVAILABLE,
  "upstream-overloaded": UNAVAILABLE,
  "upstream-unavailable": UNAVAILABLE,
  "upstream-protocol": UNAVAILABLE,
  timeout: LATE,
  cancelled: { status: 499, word: "CANCELLED" },
  internal: { status: 500, word: "INTERNAL" },
}

function wordsOf({ kind, code }: GatewayError): KindWords {
  return code === UNIMPLEMENTED_CODE ? UNIMPLEMENTED : KIND_WORDS[kind]
}

/** The envelope as JSON text: the body of a refusal, and what ends a stream that failed. */
export function geminiErrorText(error: GatewayError): string {
  const { status, word } = wordsOf(error)
  const details = detailsOf(error)
  return JSON.stringify({
    error: { code: status, message: messageOf(error), status: word, ...(details.length > 0 && { details }) },
  })
}

/** Encodes an error as an HTTP answer. */
export function encodeGeminiError(error: GatewayError, requestId: RequestId): ErrorReply {
  const { retryAfterMs } = error
  return {
    status: wordsOf(error).status,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "x-request-id": requestId,
      ...(retryAfterMs !== undefined && { "retry-after": String(Math.max(1, Math.ceil(retryAfterMs / 1000))) }),
    },
    body: geminiErrorText(error),
  }
}

/** One line that names the parameter at fault. */
function messageOf(error: GatewayError): string {
  const text = scrubText(error.message).replace(/\s+/g, " ")
  if (error.kind !== "context-too-long" || error.window === undefined) return text
  const { inputTokens, limitTokens } = error.window
  return `The input token count (${inputTokens}) exceeds the maximum number of tokens allowed (${limitTokens}).`
}

function detailsOf({ kind, param, retryAfterMs, message }: GatewayError): readonly object[] {
  const details: object[] = []
  if (retryAfterMs !== undefined) {
    details.push({ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${secondsOf(retryAfterMs)}s` })
  }
  if (kind === "quota-exhausted") {
    // No day and no minute stands in the id: clients take those for windows of the vendor's, and forget the true wait.
    const violation = { subject: "accounts", description: scrubText(message), quotaId: "AccountUsageWindow" }
    details.push({ "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations: [violation] })
  }
  if (kind === "invalid-request" && param !== undefined) {
    details.push({
      "@type": "type.googleapis.com/google.rpc.BadRequest",
      fieldViolations: [{ field: param, description: scrubText(message) }],
    })
  }
  return details
}

/** At least one millisecond: a delay of nothing is no delay to some clients. */
function secondsOf(durationMs: number): number {
  return Math.max(1, Math.round(durationMs)) / 1000
}
