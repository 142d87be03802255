/** How much an account is trusted with: its tier by its history, its cap by tier, quota and what the upstream bears. */

import { capUnder } from "#scheduler/health/learned-cap.ts"
import type { HealthFacts } from "#scheduler/health/score.ts"
import { nextTier, tierCap } from "#scheduler/health/tier.ts"
import type { Tier } from "#scheduler/pick/ranks.ts"
import type { Shelves } from "#scheduler/pick/shelves.ts"

import { type Member, note } from "./member.ts"
import type { Policy } from "./policy.ts"
import { isNearlySpent } from "./quota-standing.ts"

/** What the member's health is judged by. */
export function healthFactsOf(member: Member): HealthFacts {
  return { history: member.history, plan: member.facts.plan, quota: member.quota.standing }
}

/** The tier to show: an account that is out for good reasons of its own is `banned` whatever it has earned before. */
export function shownTier(member: Member): Tier {
  const { lifecycle } = member.facts
  const isOut = lifecycle === "needs-login" || lifecycle === "suspended"
  const isRefused = member.blocks.all().some(({ cause, phase }) => cause === "credential" && phase === "closed")
  return isOut || isRefused ? "banned" : member.tier.tier
}

/** The configured maximum. */
export function ceilingOf(member: Member, policy: Policy): number {
  return member.facts.cap ?? policy.accountConcurrency
}

/** Simultaneous requests the member may have now. */
export function capOf(member: Member, policy: Policy): number {
  const ceiling = ceilingOf(member, policy)
  const learned = policy.learnConcurrency ? capUnder(member.learned, ceiling) : ceiling
  if (!policy.healthTiers) return learned
  const trusted = Math.min(learned, tierCap(shownTier(member), ceiling))
  return isNearlySpent(member.quota.standing) ? Math.min(1, trusted) : trusted
}

/** Whether a success or a failure has changed what the member is trusted with: only then is it settled anew. */
export function wouldMove(member: Member, { shelves, policy, nowMs }: MoveParts): boolean {
  if (nextTier(member.tier, healthFactsOf(member), nowMs) !== member.tier.tier) return true
  return capOf(member, policy) !== shelves.capOf(member.index)
}

type MoveParts = { readonly shelves: Shelves; readonly policy: Policy; readonly nowMs: number }

/** Moves the member to the tier it has earned by now. */
export function moveTier(member: Member, nowMs: number, { healthTiers }: Policy): void {
  const tier = nextTier(member.tier, healthFactsOf(member), nowMs)
  if (tier === member.tier.tier) return
  member.tier = { tier, sinceMs: nowMs }
  if (healthTiers) note(member, { atMs: nowMs, change: `tier ${tier}`, detail: "" })
}
