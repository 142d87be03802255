/** The scheduler with the limits of the configuration in force. */

import type { Config } from "#config/config.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import { makeScheduler, type Scheduler } from "#scheduler/scheduler.ts"

/** Builds a scheduler without accounts; `config` is read again at each use. */
export function buildScheduler(config: () => Config): Scheduler {
  return makeScheduler({
    clock: systemClock,
    timers: systemTimers,
    random: Math.random,
    limits: () => ({
      accountConcurrency: config().accountConcurrency,
      queueMax: config().queue.max,
      queueTimeoutMs: config().queue.timeoutMs,
    }),
  })
}
