/** Judges a refused attempt: which row of the table applies, and what follows from it. */

import { GatewayError, type GatewayErrorOptions, type UpstreamFacts } from "#core/errors.ts"
import type { AccountEffect, BlockScope, Verdict } from "#core/outcome.ts"
import type { UpstreamFailure } from "#core/upstream.ts"
import { scrubText } from "#wire/scrub-text.ts"

import { FAILURE_OUTCOMES, type FailureOutcome, type OutcomeName } from "./failure-outcomes.ts"
import {
  LOST_LOGIN_CODES,
  OUTCOME_BY_CODE,
  OUTCOME_BY_STATUS,
  OUTCOME_BY_TYPE,
  TEXT_AFTER_CODE,
  TEXT_BEFORE_CODE,
  type TextSignal,
} from "./failure-signals.ts"
import type { FailureContext } from "./provider.ts"
import { burstWaitMs, quotaWaitMs, statesQuotaWait } from "./wait-time.ts"

/** The upstream named the model it refuses: it means it. */
const NAMED_MODEL_BLOCK_MS = 12 * 60 * 60 * 1000
const UNNAMED_MODEL_BLOCK_MS = 10 * 60 * 1000
/** A throttle this short is waited for on the spot. */
const SHORT_WAIT_MS = 1000
/** Side endpoints are asked again after a minute at the earliest. */
const SIDE_ENDPOINT_WAIT_MS = 60_000

/** Reads a failure. Pure; the error's message is safe to show. Retry bounds are the caller's. */
export function readFailure(failure: UpstreamFailure, context: FailureContext): Verdict {
  const name = settleRefusal(classifyFailure(failure), failure, context)
  const outcome: FailureOutcome = FAILURE_OUTCOMES[name]
  const waitMs = waitOf(outcome, failure, context)
  const error = errorOf(outcome, failure, { ...context, waitMs: clientWaitMs(outcome, failure, waitMs) })
  if (name === "burst" && waitMs !== undefined && waitMs <= SHORT_WAIT_MS && (context.attempt ?? 1) <= 1) {
    return { error, effect: { type: "none" }, next: "same-account", delayMs: waitMs }
  }
  return {
    error,
    effect: effectOf(outcome, failure, { ...context, waitMs: waitMs ?? 0 }),
    next: outcome.next,
    ...(outcome.delayMs !== undefined && { delayMs: outcome.delayMs }),
  }
}

/** Returns the row of the table that a failure falls under. */
export function classifyFailure(failure: UpstreamFailure): OutcomeName {
  const { code, type, status } = failure
  return (
    byText(TEXT_BEFORE_CODE, failure) ??
    (code === undefined ? undefined : OUTCOME_BY_CODE[code]) ??
    (type === undefined ? undefined : OUTCOME_BY_CODE[type]) ??
    byText(TEXT_AFTER_CODE, failure) ??
    byCircumstance(failure) ??
    OUTCOME_BY_STATUS[status] ??
    (type === undefined ? undefined : OUTCOME_BY_TYPE[type]) ??
    (status >= 400 && status < 500 ? "invalid-request" : "server-error")
  )
}

function byText(signals: readonly TextSignal[], failure: UpstreamFailure): OutcomeName | undefined {
  return signals.find(
    ({ pattern, statuses }) =>
      (statuses === undefined || statuses.includes(failure.status)) && pattern.test(failure.message),
  )?.outcome
}

/** Signs that are neither a word nor a status alone. */
function byCircumstance(failure: UpstreamFailure): OutcomeName | undefined {
  const { status } = failure
  if (failure.html === true && (status === 200 || status === 400)) return "edge-error"
  if (status === 404 && failure.param === "model") return "model-missing"
  // The edge hides behind an empty "not found"; the backend always says what it did not find.
  if (status === 404 && (failure.html === true || failure.message === "")) return "challenge"
  if (status === 429 && (failure.resetsAtSec !== undefined || failure.resetsInSec !== undefined)) return "quota"
  return undefined
}

/** A token that was refreshed for this very request and is refused again cannot be refreshed into working. */
function settleRefusal(name: OutcomeName, failure: UpstreamFailure, context: FailureContext): OutcomeName {
  const isSecond = context.refreshed ?? (context.attempt ?? 1) > 1
  if (name !== "token-refused" || !isSecond) return name
  return failure.code !== undefined && LOST_LOGIN_CODES.has(failure.code) ? "login-lost" : "refused-after-refresh"
}

function waitOf(outcome: FailureOutcome, failure: UpstreamFailure, context: FailureContext): number | undefined {
  const { effect } = outcome
  if (effect.type !== "block") return failure.retryAfterMs
  switch (effect.length) {
    case "reset":
      return quotaWaitMs(failure, context.nowMs)
    case "burst":
      return burstWaitMs(failure, context.nowMs)
    case "model":
      return context.model !== "" && failure.message.includes(context.model)
        ? NAMED_MODEL_BLOCK_MS
        : UNNAMED_MODEL_BLOCK_MS
    default:
      return effect.length
  }
}

/** How long the account rests by our own rule is no advice to a client: only what the upstream stated is. */
function clientWaitMs(
  { effect }: FailureOutcome,
  failure: UpstreamFailure,
  waitMs: number | undefined,
): number | undefined {
  return effect.type === "block" && typeof effect.length === "number" ? failure.retryAfterMs : waitMs
}

function effectOf(
  { effect }: FailureOutcome,
  failure: UpstreamFailure,
  { model, nowMs, waitMs }: FailureContext & { readonly waitMs: number },
): AccountEffect {
  if (effect.type !== "block") return { type: effect.type }
  const isUnstated = effect.length === "reset" && !statesQuotaWait(failure, nowMs)
  return {
    type: "block",
    scope: scopeOf(effect.scope, model),
    cause: effect.cause,
    forMs: waitMs,
    ...(isUnstated && { isUnstated }),
  }
}

/** Spark models have a quota of their own: one that is spent says nothing about the other. */
function scopeOf(scope: "account" | "model" | "egress" | "quota", model: string): BlockScope {
  if (scope === "model") return { type: "model", model }
  if (scope === "egress") return { type: "egress" }
  return scope === "quota" && model.includes("spark") ? { type: "model", model } : { type: "account" }
}

type ErrorContext = FailureContext & { readonly waitMs: number | undefined }

function errorOf(outcome: FailureOutcome, failure: UpstreamFailure, context: ErrorContext): GatewayError {
  const options: GatewayErrorOptions = {
    code: outcome.code ?? failure.code ?? failure.type ?? "invalid_request",
    upstream: factsOf(failure, context.nowMs),
    ...(outcome.hint !== undefined && { hint: outcome.hint }),
    ...paramOf(outcome, failure),
    ...retryAfterOf(outcome, context.waitMs),
  }
  const message = outcome.message ?? (scrubText(failure.message) || defaultMessage(outcome, failure))
  return new GatewayError(outcome.kind, message, options)
}

function paramOf(outcome: FailureOutcome, failure: UpstreamFailure): { readonly param?: string } {
  if (failure.param !== undefined) return { param: failure.param }
  if (outcome.kind === "model-not-found") return { param: "model" }
  return outcome.kind === "context-too-long" ? { param: "input" } : {}
}

/** Clients are told to wait only where waiting is what helps. */
function retryAfterOf(outcome: FailureOutcome, waitMs: number | undefined): { readonly retryAfterMs?: number } {
  if (outcome === FAILURE_OUTCOMES["side-endpoint-throttled"]) {
    return { retryAfterMs: Math.max(waitMs ?? 0, SIDE_ENDPOINT_WAIT_MS) }
  }
  const helps = ["rate-limited", "quota-exhausted", "upstream-overloaded"].includes(outcome.kind)
  return helps && waitMs !== undefined ? { retryAfterMs: waitMs } : {}
}

function factsOf(failure: UpstreamFailure, nowMs: number): UpstreamFacts {
  const resetsAtSec =
    failure.resetsAtSec ??
    (failure.resetsInSec === undefined ? undefined : Math.ceil(nowMs / 1000 + failure.resetsInSec))
  return {
    status: failure.status,
    ...(failure.code !== undefined && { code: failure.code }),
    ...(failure.type !== undefined && { type: failure.type }),
    ...(failure.planType !== undefined && { planType: failure.planType }),
    ...(resetsAtSec !== undefined && { resetsAtSec }),
    ...(failure.requestId !== undefined && { requestId: failure.requestId }),
  }
}

function defaultMessage(outcome: FailureOutcome, failure: UpstreamFailure): string {
  if (outcome.kind === "quota-exhausted") return "The usage limit has been reached."
  if (outcome.kind === "rate-limited") return "The upstream asks for a short pause."
  return `The upstream answered with status ${failure.status}.`
}
