/** From a member's axes to its place: blocks that have ended, tier, band, cap, class, and when to look again. */

import type { Clock } from "#core/clock.ts"
import { wakeAt } from "#scheduler/blocks/egresses.ts"
import { nextTierAtMs } from "#scheduler/health/tier.ts"
import { rankOf } from "#scheduler/pick/ranks.ts"
import type { Shelves } from "#scheduler/pick/shelves.ts"
import type { TimerHeap } from "#scheduler/timers/timer-heap.ts"

import { endBlocks, type Member } from "./member.ts"
import { type MembershipParts, reclassify } from "./membership.ts"
import { placementOf } from "./placement.ts"
import type { Policy } from "./policy.ts"
import { bandOf, headroomOf, isOverCeiling, readStanding } from "./quota-standing.ts"
import { capOf, healthFactsOf, moveTier } from "./trust.ts"

/** What settling needs. */
export type StandingParts = MembershipParts & {
  readonly clock: Clock
  readonly heap: TimerHeap
  readonly shelves: Shelves
  readonly policy: Policy
}

/** Brings everything that follows from the member's axes in line with them. */
export function settleMember(member: Member, parts: StandingParts): void {
  const { shelves, policy } = parts
  const nowMs = parts.clock()
  endBlocks(member, nowMs)
  readQuotaAgain(member, nowMs)
  moveTier(member, nowMs, policy)
  const band = bandOf(policy.strategy, member.quota.standing, nowMs)
  const placement = placementOf(member.facts, policy.placement)
  const tier = policy.healthTiers ? member.tier.tier : "healthy"
  const isOver = isOverCeiling(member.quota.standing, policy.softCeilingPercent)
  const rank = rankOf({ isOverCeiling: isOver, priority: placement.priority, tier, band: band.band })
  const classId = reclassify(member, { rank, tags: placement.tags }, parts)
  shelves.put(member.index, classId, {
    cap: capOf(member, policy),
    open: member.usable && !member.blocks.all().some(isTryingAccount),
    probing: member.probing,
    weight: placement.weight * headroomOf(member.quota.standing),
  })
  const lookAgainMs = Math.min(
    member.blocks.nextEndMs(),
    nextTierAtMs(member.tier, healthFactsOf(member), nowMs),
    member.quota.standing.validUntilMs,
    band.untilMs,
  )
  wakeAt(parts.heap, member.wake, lookAgainMs)
}

function isTryingAccount(block: ReturnType<Member["blocks"]["all"]>[number]): boolean {
  return block.scope.type === "account" && block.phase === "trying"
}

function readQuotaAgain(member: Member, nowMs: number): void {
  const { snapshot, standing } = member.quota
  if (snapshot === undefined || standing.validUntilMs > nowMs) return
  member.quota = { snapshot, standing: readStanding(snapshot, nowMs) }
}
