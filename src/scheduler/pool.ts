/** The members and where they stand: keeps classes, shelves and wake-up times in step with every axis. */

import type { Clock } from "#core/clock.ts"

import { type Buckets, makeBuckets } from "./blocks/buckets.ts"
import { type Egresses, makeEgresses } from "./blocks/egresses.ts"
import { egressOf, type Member } from "./members/member.ts"
import { leaveClass } from "./members/membership.ts"
import { makePlanModels, type PlanModels } from "./members/plan-models.ts"
import type { Policy } from "./members/policy.ts"
import { makeRoster, type Roster } from "./members/roster.ts"
import { settleMember } from "./members/standing.ts"
import { type Classes, makeClasses } from "./pick/classes.ts"
import { makeShelves, type Shelves } from "./pick/shelves.ts"
import type { TimerHeap } from "./timers/timer-heap.ts"

/** The pool's state and the only ways to change it. */
export type Pool = {
  readonly shelves: Shelves
  readonly classes: Classes
  readonly egresses: Egresses
  readonly buckets: Buckets
  readonly plans: PlanModels
  readonly paces: Roster["paces"]
  readonly policy: () => Policy
  /** Present members only. */
  readonly get: Roster["get"]
  readonly numberOf: Roster["numberOf"]
  readonly at: Roster["at"]
  readonly idAt: Roster["idAt"]
  readonly members: Roster["present"]
  readonly size: () => number
  /** Rises with every change of anybody's standing; loads do not count. */
  readonly version: () => number
  readonly upsert: Roster["add"]
  readonly remove: (member: Member) => void
  /** Forgets a removed member once its last lease has ended. */
  readonly bury: (member: Member) => void
  /** Brings class, shelf and wake-up in line after any of the member's axes changed. */
  readonly refresh: (member: Member) => void
  /** Brings every member in line: after a change of the policy or of a bucket. */
  readonly refreshAll: () => void
  /** Call after something was learned about plans. */
  readonly refreshPlans: () => void
}

/** Parts of the pool; `random` is in [0, 1). */
export type PoolParts = {
  readonly clock: Clock
  readonly heap: TimerHeap
  readonly random: () => number
  readonly policy: () => Policy
  /** Called after a refresh, when the member may have become free. */
  readonly mayBeFree: (member: Member) => void
}

/** Makes an empty pool. */
export function makePool(parts: PoolParts): Pool {
  const { clock, heap, policy } = parts
  const shelves = makeShelves({ random: parts.random, strategy: policy().strategy })
  const buckets = makeBuckets()
  const plans = makePlanModels()
  let version = 0

  const egresses = makeEgresses({ clock, heap, changed: egressChanged })
  const classes = makeClasses({
    arrange: shelves.arrange,
    isBarred: (signature, model) => egresses.isBlocked(signature.egress) || plans.lacks(signature, model),
  })
  const roster = makeRoster({ clock, heap, shelves, wake: member => refresh(member) })
  const planWake = heap.add(() => refreshPlans())

  function egressChanged(name: string): void {
    version += 1
    classes.invalidate()
    for (const member of roster.present()) if (egressOf(member) === name) parts.mayBeFree(member)
  }

  function refreshPlans(): void {
    version += 1
    plans.runOut(clock())
    classes.invalidate()
    const endMs = plans.nextEndMs()
    if (Number.isFinite(endMs)) heap.set(planWake, endMs)
    else heap.clear(planWake)
    // Rare enough to ask everybody: somebody may wait for accounts of this very plan.
    for (const member of roster.present()) parts.mayBeFree(member)
  }

  function refresh(member: Member): void {
    version += 1
    if (!member.present) return
    settleMember(member, { clock, heap, shelves, classes, buckets, policy: policy() })
    parts.mayBeFree(member)
  }

  return {
    shelves,
    classes,
    egresses,
    buckets,
    plans,
    paces: roster.paces,
    policy,
    get: roster.get,
    numberOf: roster.numberOf,
    at: roster.at,
    idAt: roster.idAt,
    members: roster.present,
    size: roster.size,
    version: () => version,
    upsert: facts => {
      const member = roster.add(facts)
      if (facts.credential === "fresh" && member.facts.credential !== "fresh") member.credentialSinceMs = clock()
      member.facts = facts
      refresh(member)
      return member
    },
    remove: member => {
      version += 1
      shelves.retire(member.index)
      leaveClass(member, classes)
      roster.remove(member)
    },
    bury: member => {
      if (!member.present && shelves.loadOf(member.index) === 0) roster.forget(member)
    },
    refresh,
    refreshAll: () => {
      for (const member of roster.present()) refresh(member)
    },
    refreshPlans,
  }
}
