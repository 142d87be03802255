/** How long to leave an account alone, read from whatever a refusal states, within bounds. */

import type { UpstreamFailure } from "#core/upstream.ts"

import { withinWindowMs } from "./quota-window.ts"

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** A stated time that has passed already: the clocks differ a little. */
const PAST_MS = 2 * SECOND_MS
/** A reset is honoured this much late, so that the window is surely empty. */
const RESET_MARGIN_MS = SECOND_MS
/** Without any statement: long enough to spare the account, short enough that a look at its usage comes soon. */
const QUOTA_DEFAULT_MS = 5 * MINUTE_MS
/** No window is longer than a month. */
const QUOTA_MAX_MS = 31 * DAY_MS
const BURST_DEFAULT_MS = 3 * SECOND_MS
const BURST_MAX_MS = 30 * MINUTE_MS

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  millisecond: 1,
  s: SECOND_MS,
  sec: SECOND_MS,
  second: SECOND_MS,
  m: MINUTE_MS,
  min: MINUTE_MS,
  minute: MINUTE_MS,
  h: HOUR_MS,
  hr: HOUR_MS,
  hour: HOUR_MS,
  d: DAY_MS,
  day: DAY_MS,
}

/** Returns the milliseconds until a spent quota comes back: stated reset, retry header, text, five minutes. */
export function quotaWaitMs(failure: UpstreamFailure, nowMs: number): number {
  const stated = statedQuotaMs(failure, nowMs)
  if (stated === undefined) return QUOTA_DEFAULT_MS
  if (stated <= 0) return PAST_MS
  const { windowSec } = failure
  const possible = windowSec === undefined ? stated : withinWindowMs(stated, windowSec)
  return Math.min(possible + RESET_MARGIN_MS, QUOTA_MAX_MS)
}

/** Returns the milliseconds of a short throttle: retry header, stated reset, text, three seconds; 30 minutes at most. */
export function burstWaitMs(failure: UpstreamFailure, nowMs: number): number {
  const stated = failure.retryAfterMs ?? resetWaitMs(failure, nowMs) ?? textWaitMs(failure.message)
  if (stated === undefined) return BURST_DEFAULT_MS
  return stated <= 0 ? PAST_MS : Math.min(Math.ceil(stated), BURST_MAX_MS)
}

/** Reads `try again in 11.054s`, `28ms`, `35 seconds`, `1h2m3s`, `2 days and 3 hours`; undefined when there is none. */
export function textWaitMs(text: string): number | undefined {
  const after = /(?:try again|retry|available again) (?:in|after)\s+(.{1,80})/is.exec(text)?.[1]
  if (after === undefined) return undefined
  const part = /^[\s,]*(?:and\s+)?(\d+(?:\.\d+)?)\s*([a-z]+)/i
  let totalMs: number | undefined
  let rest = after
  for (let found = part.exec(rest); found !== null; found = part.exec(rest)) {
    const unitMs = unitOf(found[2] ?? "")
    if (unitMs === undefined) break
    totalMs = (totalMs ?? 0) + Number(found[1]) * unitMs
    rest = rest.slice(found[0].length)
  }
  return totalMs
}

function unitOf(word: string): number | undefined {
  const unit = word.toLowerCase()
  return UNIT_MS[unit] ?? UNIT_MS[unit.replace(/s$/, "")]
}

function resetWaitMs(failure: UpstreamFailure, nowMs: number): number | undefined {
  if (failure.resetsAtSec !== undefined && failure.resetsAtSec > 0) return failure.resetsAtSec * 1000 - nowMs
  return failure.resetsInSec === undefined ? undefined : failure.resetsInSec * 1000
}

/** True when the refusal says in any way when the quota comes back. */
export function statesQuotaWait(failure: UpstreamFailure, nowMs: number): boolean {
  return statedQuotaMs(failure, nowMs) !== undefined
}

function statedQuotaMs(failure: UpstreamFailure, nowMs: number): number | undefined {
  return resetWaitMs(failure, nowMs) ?? failure.retryAfterMs ?? textWaitMs(failure.message)
}
