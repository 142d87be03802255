/** One log line for every finished request. */

import { maskLabel } from "#core/account.ts"
import type { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import type { Outcome } from "#core/outcome.ts"

import type { Log, LogLevel } from "./log.ts"
import { nameCauses } from "./name-causes.ts"

/** What {@link makeRequestLine} is made of. */
export type RequestLineParts = {
  readonly log: Log
  /** Returns an account's label (e-mail or file name), which is masked here; undefined when it is gone. */
  readonly labelOf: (account: AccountId) => string | undefined
}

/** A line before it is written. */
export type RequestLine = {
  readonly level: LogLevel
  readonly fields: Readonly<Record<string, string | number>>
  readonly message: string
}

/** Returns the function that logs one settled request. */
export function makeRequestLine(parts: RequestLineParts): (outcome: Outcome) => void {
  return outcome => {
    const { level, fields, message } = describeOutcome(outcome, parts.labelOf)
    parts.log[level](fields, message)
  }
}

/** Turns an outcome into its line. Fields that do not apply are absent. */
export function describeOutcome(outcome: Outcome, labelOf: RequestLineParts["labelOf"]): RequestLine {
  const fields = {
    id: outcome.id,
    protocol: outcome.protocol,
    model: outcome.model,
    upstreamModel: outcome.upstreamModel,
    warnings: outcome.warnings?.join(" "),
    account: outcome.account,
    accountLabel: maskedLabel(outcome.account, labelOf),
    keyId: outcome.keyId,
    lane: outcome.lane,
    status: outcome.status,
    firstByteMs: outcome.firstByteMs,
    totalMs: outcome.totalMs,
    ...outcome.usage,
    usage: outcome.isUsageEstimated === true ? "estimated" : undefined,
    attempts: outcome.attempts,
    retries: Math.max(0, outcome.attempts - 1),
    ...describeError(outcome.error),
  }
  return { level: levelOf(outcome), fields: withoutUndefined(fields), message: messageOf(outcome) }
}

function messageOf(outcome: Outcome): string {
  if (outcome.error === undefined) return "request served"
  return outcome.error.kind === "cancelled" ? "request cancelled" : "request failed"
}

/** Only a bug of ours is an error; an upstream that fails is a warning; what clients do wrong is their matter. */
function levelOf(outcome: Outcome): LogLevel {
  if (outcome.error?.kind === "cancelled") return "info"
  if (outcome.error?.kind === "internal" || outcome.status === 500) return "error"
  return outcome.status > 500 || (outcome.error?.status ?? 0) > 500 ? "warn" : "info"
}

/** The request id stands for the error too: the client's error body carries the same one. */
function describeError(error: GatewayError | undefined) {
  if (error === undefined) return {}
  return {
    errorKind: error.kind,
    errorCode: error.code,
    errorMessage: error.message,
    errorHint: error.hint,
    retryAfterMs: error.retryAfterMs,
    upstreamStatus: error.upstream?.status,
    upstreamCode: error.upstream?.code,
    upstreamRequestId: error.upstream?.requestId,
    causes: nameCauses(error),
  }
}

function maskedLabel(account: AccountId | undefined, labelOf: RequestLineParts["labelOf"]): string | undefined {
  const label = account === undefined ? undefined : labelOf(account)
  return label === undefined ? undefined : maskLabel(label)
}

function withoutUndefined(fields: Readonly<Record<string, string | number | undefined>>): RequestLine["fields"] {
  const entries = Object.entries(fields).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]))
  return Object.fromEntries(entries)
}
