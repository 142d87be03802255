/** Whether one more request fits the limits of a key, and which one it would break. */

import { type Amounts, amountOf, QUANTITIES, type Quantity } from "./amounts.ts"
import type { KeyMeter } from "./key-meter.ts"
import type { Caps, KeyLimits, WindowName } from "./key-policy.ts"

/** The limit in the way. `limit` is its name in the policy: `rpm`, `5h.cost_usd`. */
export type LimitHit = {
  readonly limit: string
  readonly quantity: Quantity | "rate" | "concurrency"
  /** Used up and held, in the unit of the limit. */
  readonly used: number
  readonly most: number
  /** What the request would have added. */
  readonly wanted: number
  /** Milliseconds; infinite = waiting does not help. */
  readonly waitMs: number
}

/** What is asked: the request's amounts against the limits, at a moment. */
export type LimitQuestion = {
  readonly limits: KeyLimits
  readonly meter: KeyMeter
  readonly wanted: Readonly<Amounts>
  readonly nowMs: number
}

/** Reservations end when answers do, which nobody knows; a short wait is a fair guess. */
const RESERVATION_WAIT_MS = 2_000

/** Returns the first limit the request does not fit; undefined when it fits all. Changes nothing. */
export function checkLimits(question: LimitQuestion): LimitHit | undefined {
  return checkRates(question) ?? checkWindows(question)
}

/** Takes what a request asks of the two rates. */
export function takeRates({ limits, meter, wanted, nowMs }: LimitQuestion): void {
  if (limits.rpm !== undefined) meter.requestRate.take(1, limits.rpm, nowMs)
  if (limits.tpm !== undefined) meter.tokenRate.take(amountOf(wanted, "tokens"), limits.tpm, nowMs)
}

/** Corrects the rate of tokens by what was not used, or used beyond. */
export function correctRate(limits: KeyLimits, meter: KeyMeter, tokens: number, nowMs: number): void {
  if (limits.tpm !== undefined && tokens !== 0) meter.tokenRate.take(tokens, limits.tpm, nowMs)
}

function checkRates({ limits, meter, wanted, nowMs }: LimitQuestion): LimitHit | undefined {
  const { rpm, tpm } = limits
  if (rpm !== undefined) {
    const waitMs = meter.requestRate.waitMs(1, rpm, nowMs)
    if (waitMs > 0) return rateHit("rpm", meter.requestRate.used(rpm, nowMs), { most: rpm, wanted: 1, waitMs })
  }
  if (tpm !== undefined) {
    const tokens = amountOf(wanted, "tokens")
    const waitMs = meter.tokenRate.waitMs(tokens, tpm, nowMs)
    if (waitMs > 0) return rateHit("tpm", meter.tokenRate.used(tpm, nowMs), { most: tpm, wanted: tokens, waitMs })
  }
  return undefined
}

function rateHit(
  limit: string,
  used: number,
  { most, wanted, waitMs }: Pick<LimitHit, "most" | "wanted" | "waitMs">,
): LimitHit {
  return { limit, quantity: "rate", used: Math.ceil(used), most, wanted, waitMs }
}

function checkWindows(question: LimitQuestion): LimitHit | undefined {
  const { limits } = question
  if (limits.rpd !== undefined) {
    const hit = checkCap(question, "day", "requests", limits.rpd)
    if (hit !== undefined) return { ...hit, limit: "rpd" }
  }
  return (
    checkCaps(question, "5h", limits["5h"]) ??
    checkCaps(question, "day", limits.day) ??
    checkCaps(question, "7d", limits["7d"]) ??
    checkCaps(question, "30d", limits["30d"]) ??
    checkCaps(question, "total", limits.total)
  )
}

function checkCaps(question: LimitQuestion, window: WindowName, caps: Caps | undefined): LimitHit | undefined {
  if (caps === undefined) return undefined
  for (const quantity of QUANTITIES) {
    const most = caps[quantity]
    const hit = most === undefined ? undefined : checkCap(question, window, quantity, most)
    if (hit !== undefined) return hit
  }
  return undefined
}

/** Reserved amounts count as used: of many requests at once none may count on what another one holds. */
function checkCap(question: LimitQuestion, window: WindowName, quantity: Quantity, most: number): LimitHit | undefined {
  const { meter, nowMs } = question
  const wanted = amountOf(question.wanted, quantity)
  const charged = amountOf(usedIn(meter, window, nowMs), quantity)
  const used = charged + amountOf(meter.reserved(), quantity)
  // A cap that is reached keeps out requests that are expected to cost nothing as well.
  if (used < most && used + wanted <= most) return undefined
  const isHeldOnly = charged < most && charged + wanted <= most
  const waitMs = isHeldOnly ? RESERVATION_WAIT_MS : waitFor(question, window, { quantity, most, wanted })
  return { limit: `${window}.${quantity}`, quantity, used, most, wanted, waitMs }
}

/** What is used up in a window, without what is reserved. */
export function usedIn(meter: KeyMeter, window: WindowName, nowMs: number): Readonly<Amounts> {
  if (window === "total") return meter.total()
  return window === "day" ? meter.today(nowMs) : meter.rings[window].sum(nowMs)
}

function waitFor(
  { meter, nowMs }: LimitQuestion,
  window: WindowName,
  { quantity, most, wanted }: { readonly quantity: Quantity; readonly most: number; readonly wanted: number },
): number {
  if (wanted > most || window === "total") return Number.POSITIVE_INFINITY
  if (window === "day") return meter.day(nowMs).endMs - nowMs
  // A request that costs nothing waits until there is room for anything at all.
  const room = wanted > 0 ? wanted : Math.min(1, most / 2)
  return meter.rings[window].fitsAtMs(amounts => amountOf(amounts, quantity), most - room, nowMs) - nowMs
}
