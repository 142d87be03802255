/** From the end of a request to what is kept of it. Prompts and answers are not in an outcome, so they cannot get here. */

import type { GatewayError } from "#core/errors.ts"
import type { FailedAttempt, Outcome } from "#core/outcome.ts"
import type { AttemptRow, LogEntry, RequestRow } from "#store/log/request-rows.ts"

/** Sequence numbers within a millisecond; ids stay below 2⁵³ until the year 2039. */
export const IDS_A_MS = 4096

/** Clients choose these texts. */
const MAX_NAME_LENGTH = 200

/** Makes the rows of one request; `id` says when it ended. */
export function entryOf(outcome: Outcome, id: number): LogEntry {
  const { error, failedAttempts = [], decisions } = outcome
  const isPlain = error === undefined && decisions === undefined
  return {
    request: requestRow(outcome, id),
    attempts: failedAttempts.map(attemptRow),
    detail: isPlain
      ? undefined
      : {
          errorJson: error === undefined ? null : JSON.stringify(errorFacts(error)),
          decisionsJson: decisions === undefined ? null : JSON.stringify(decisions),
        },
  }
}

function requestRow(outcome: Outcome, id: number): RequestRow {
  const { error, usage } = outcome
  return {
    id,
    requestId: outcome.id,
    keyId: outcome.keyId,
    accountId: outcome.account ?? null,
    protocol: outcome.protocol,
    lane: outcome.lane,
    model: outcome.model.slice(0, MAX_NAME_LENGTH),
    upstreamModel: outcome.upstreamModel ?? null,
    warnings: outcome.warnings?.join(" ") ?? null,
    status: outcome.status,
    errorKind: error?.kind ?? null,
    errorCode: error?.upstream?.code ?? error?.code ?? null,
    attempts: outcome.attempts,
    firstByteMs: outcome.firstByteMs ?? null,
    totalMs: outcome.totalMs,
    inputTokens: usage?.inputTokens ?? 0,
    cachedTokens: usage?.inputCachedTokens ?? 0,
    outputTokens: usage?.outputTokens ?? 0,
    reasoningTokens: usage?.reasoningTokens ?? 0,
  }
}

function attemptRow({ account, startedAtMs, totalMs, error, effect, next }: FailedAttempt, index: number): AttemptRow {
  return {
    n: index + 1,
    accountId: account,
    startedAtMs,
    totalMs,
    errorKind: error.kind,
    errorCode: error.upstream?.code ?? error.code ?? null,
    upstreamStatus: error.upstream?.status ?? null,
    effect,
    next,
  }
}

/** What is safe to show of an error; the same facts are in its log line. */
function errorFacts({ kind, code, message, hint, retryAfterMs, upstream }: GatewayError) {
  return { kind, code, message, hint, retry_after_ms: retryAfterMs, upstream }
}

/** When a request ended, milliseconds since the epoch. */
export function endOf({ startedAtMs, totalMs }: Outcome): number {
  return Math.round(startedAtMs + totalMs)
}

/** The time in an id. */
export function timeOf(id: number): number {
  return Math.floor(id / IDS_A_MS)
}
