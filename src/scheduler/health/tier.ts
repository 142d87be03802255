/** From a score to a tier, and from a tier to how much an account is trusted with. */

import type { Tier } from "#scheduler/pick/ranks.ts"

import { FADE_MS, fadedAtMs, type HealthFacts, isFree, isPaidAndLimited, scoreOf } from "./score.ts"

/** Scores below are risky, and warm. */
const WARM_FROM = 60
const HEALTHY_FROM = 85
/** A better tier needs this many points more than the border, */
const MARGIN = 3
/** and this long in the worse one; otherwise accounts at a border would move with every answer. */
const DWELL_MS = 10_000
/** Failures of the way or of the upstream in a row that say something about the account. */
const TRANSPORT_STREAK = 3

/** An account's tier and since when. */
export type TierState = { readonly tier: Exclude<Tier, "banned">; readonly sinceMs: number }

const ORDER = { healthy: 0, warm: 1, risky: 2 } as const
type Worth = TierState["tier"]

/** Returns the tier at `nowMs`; a worse one counts at once, a better one only when it is clearly so. */
export function nextTier(state: TierState, facts: HealthFacts, nowMs: number): Worth {
  const plain = judge(facts, { nowMs, margin: 0 })
  if (ORDER[plain] >= ORDER[state.tier]) return plain
  if (nowMs - state.sinceMs < DWELL_MS) return state.tier
  const careful = judge(facts, { nowMs, margin: MARGIN })
  return ORDER[careful] >= ORDER[state.tier] ? state.tier : careful
}

/**
 * Returns when the tier will have become better without any further event, milliseconds since the epoch; infinite for
 * never. Terms only fade upwards, so the moment can be searched by halves.
 */
export function nextTierAtMs(state: TierState, facts: HealthFacts, nowMs: number): number {
  if (state.tier === "healthy") return Number.POSITIVE_INFINITY
  let later = Math.max(fadedAtMs(facts.history), state.sinceMs + DWELL_MS, nowMs) + 1
  if (nextTier(state, facts, later) === state.tier) return Number.POSITIVE_INFINITY
  let sooner = nowMs
  while (later - sooner > RESOLUTION_MS) {
    const middle = (sooner + later) / 2
    if (nextTier(state, facts, middle) === state.tier) sooner = middle
    else later = middle
  }
  return Math.ceil(later)
}

/** Nobody notices that a tier got better this much later. */
const RESOLUTION_MS = 500

/** Simultaneous requests that a tier allows under the configured maximum. */
export function tierCap(tier: Tier, ceiling: number): number {
  switch (tier) {
    case "healthy":
      return ceiling
    case "warm":
      return Math.max(1, Math.floor(ceiling / 2))
    case "risky":
      return 1
    case "banned":
      return 0
  }
}

function judge(facts: HealthFacts, { nowMs, margin }: { readonly nowMs: number; readonly margin: number }): Worth {
  const score = scoreOf(facts, nowMs)
  const byScore = score < WARM_FROM + margin ? "risky" : score < HEALTHY_FROM + margin ? "warm" : "healthy"
  return worse(byScore, worse(byEvents(facts, nowMs), byQuota(facts)))
}

/** Whatever the score: an account that has just failed, or whose credential was refused today, is not fully trusted. */
function byEvents({ history }: HealthFacts, nowMs: number): Worth {
  if (nowMs - history.failedAtMs.auth < FADE_MS.auth) return "warm"
  const { newest } = history
  if (newest === undefined || nowMs - history.failedAtMs[newest] >= FADE_MS[newest]) return "healthy"
  const isTransport = newest === "timeout" || newest === "server"
  return isTransport && history.failureStreak < TRANSPORT_STREAK ? "healthy" : "warm"
}

function byQuota(facts: HealthFacts): Worth {
  if (isPaidAndLimited(facts)) return "risky"
  if (!isFree(facts) || facts.quota.longUsedPercent < 85) return "healthy"
  return facts.quota.longUsedPercent < 95 ? "warm" : "risky"
}

function worse(left: Worth, right: Worth): Worth {
  return ORDER[left] >= ORDER[right] ? left : right
}
