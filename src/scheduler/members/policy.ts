/** The limits in force, read once a request, and what follows when one of them changes. */

import type { Strategy } from "#scheduler/pick/strategies.ts"
import type { SchedulerLimits } from "#scheduler/types.ts"

import { NO_RULES, type PlacementRules } from "./placement.ts"

/** Limits that decide where an account stands, complete. */
export type Policy = {
  readonly accountConcurrency: number
  readonly strategy: Strategy
  readonly healthTiers: boolean
  readonly learnConcurrency: boolean
  /** Infinite = none. */
  readonly softCeilingPercent: number
  readonly placement: PlacementRules
}

/** What a change of the configuration came to. */
export type PolicyChange = { readonly before: Policy; readonly after: Policy }

/** Keeps the policy in step with the limits, when asked to. */
export type PolicyFollower = {
  readonly policy: () => Policy
  /** True when the limits say something else by now. */
  readonly hasChanged: () => boolean
  /** Takes the limits over. */
  readonly follow: () => PolicyChange
}

/** Makes a follower that starts with the limits as they are. */
export function makePolicyFollower(limits: () => SchedulerLimits): PolicyFollower {
  let policy = policyOf(limits())
  return {
    policy: () => policy,
    hasChanged: () => !isCurrent(policy, limits()),
    follow: () => {
      const before = policy
      policy = policyOf(limits())
      return { before, after: policy }
    },
  }
}

function policyOf(limits: SchedulerLimits): Policy {
  return {
    accountConcurrency: limits.accountConcurrency,
    strategy: limits.strategy ?? "least-loaded",
    healthTiers: limits.healthTiers ?? true,
    learnConcurrency: limits.learnConcurrency ?? true,
    softCeilingPercent: limits.softCeilingPercent ?? Number.POSITIVE_INFINITY,
    placement: limits.placement ?? NO_RULES,
  }
}

function isCurrent(policy: Policy, limits: SchedulerLimits): boolean {
  return (
    policy.accountConcurrency === limits.accountConcurrency &&
    policy.strategy === (limits.strategy ?? "least-loaded") &&
    policy.healthTiers === (limits.healthTiers ?? true) &&
    policy.learnConcurrency === (limits.learnConcurrency ?? true) &&
    policy.softCeilingPercent === (limits.softCeilingPercent ?? Number.POSITIVE_INFINITY) &&
    policy.placement === (limits.placement ?? NO_RULES)
  )
}
