/** Who comes before whom, worked out from what is shown of two accounts and nothing else. */

import type { Strategy } from "#scheduler/pick/strategies.ts"
import type { AccountView } from "#scheduler/types.ts"

const TIERS = ["healthy", "warm", "risky", "banned"]

/** What an account's place depends on besides what is shown of it. */
export type OrderFacts = {
  readonly strategy: Strategy
  readonly healthTiers: boolean
  readonly nowMs: number
  /** The operator's order. */
  readonly entered: number
}

/** Returns numbers that compare from left to right; the smaller one goes first. */
export function orderKeyOf(account: AccountView, facts: OrderFacts): readonly number[] {
  const tier = facts.healthTiers ? TIERS.indexOf(account.tier) : 0
  const rank = [-account.priority, tier]
  const level = Math.floor((16 * account.load) / account.cap)
  const isCrowded = Number(3 * account.load >= account.cap)
  const left = account.quota?.remainingPercent ?? 100
  switch (facts.strategy) {
    case "least-loaded":
      return [...rank, level]
    case "quota-balanced":
      return [...rank, Math.min(7, Math.floor(((100 - left) * 8) / 100)), level]
    case "soonest-reset":
      return [...rank, isCrowded, bandOfReset(account, facts.nowMs), level]
    case "fill-first":
      return [...rank, isCrowded, Number(3 * left <= 100), facts.entered]
    case "round-robin":
    case "least-used":
    case "weighted":
      // Their own orders depend on the whole past; test/unit/scheduler/pick follows them step by step.
      return rank
  }
}

/** True unless the left one comes after the right one. */
export function isNotAfter(left: readonly number[], right: readonly number[]): boolean {
  const at = left.findIndex((value, index) => value !== right[index])
  return at < 0 || (left[at] ?? 0) < (right[at] ?? 0)
}

function bandOfReset({ quota }: AccountView, nowMs: number): number {
  if (quota?.resetsAtMs === undefined) return 6
  if (3 * quota.remainingPercent <= 100) return 7
  const hours = (quota.resetsAtMs - nowMs) / 3_600_000
  const band = [1, 2, 4, 8, 24, 72].findIndex(most => hours <= most)
  return band < 0 ? 6 : band
}
