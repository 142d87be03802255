/** The scheduler with the limits of the configuration in force. */

import type { Config, SchedulerConfig } from "#config/config.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { makeScheduler, type Scheduler, type SchedulerParts } from "#scheduler/scheduler.ts"
import type { SchedulerLimits } from "#scheduler/types.ts"

import type { GatewayContext } from "./gateway-context.ts"

/** What the scheduler is built from. */
export type BuildSchedulerParts = Pick<GatewayContext, "config" | "reportFailure"> & Pick<SchedulerParts, "suspended">

/** Builds a scheduler without accounts; `config` is read again at each use. */
export function buildScheduler({ config, reportFailure, suspended }: BuildSchedulerParts): Scheduler {
  let known = config()
  let limits = limitsOf(known)
  return makeScheduler({
    clock: systemClock,
    timers: systemTimers,
    random: Math.random,
    ...(suspended !== undefined && { suspended }),
    alarm: text => reportFailure("upstream", new GatewayError("upstream-unavailable", text)),
    limits: () => {
      // A reload replaces the whole configuration, so the limits are put together once each.
      const current = config()
      if (current !== known) limits = limitsOf(current)
      known = current
      return limits
    },
  })
}

function hasRules({ priorities, weights, tags }: SchedulerConfig): boolean {
  return [priorities, weights, tags].some(rules => Object.keys(rules).length > 0)
}

function limitsOf({ accountConcurrency, queue, quota, scheduler }: Config): SchedulerLimits {
  return {
    accountConcurrency,
    queueMax: queue.max,
    queueMaxPerKey: queue.maxPerKey,
    queueTimeoutMs: queue.timeoutMs,
    strategy: scheduler.strategy,
    healthTiers: scheduler.healthTiers,
    learnConcurrency: scheduler.learnConcurrency,
    ...(quota.softCeilingPercent !== undefined && { softCeilingPercent: quota.softCeilingPercent }),
    // Without rules the scheduler need not look for any.
    ...(hasRules(scheduler) && { placement: scheduler }),
  }
}
