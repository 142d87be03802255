/** The request log of a data folder, with the settings in force. */

import { join } from "node:path"

import type { Config } from "#config/config.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import { type Explainer, makeExplainer } from "#gateway/journal/explainer.ts"
import { type Journal, makeJournal } from "#gateway/journal/journal.ts"
import { openLogStore } from "#store/log/log-store.ts"
import type { Log } from "#telemetry/log.ts"

/** Makes it; nothing is opened before it starts or somebody reads. */
export function buildJournal(config: () => Config, log: Pick<Log, "warn">): Journal {
  const path = join(config().dataDir, "log.db")
  return makeJournal({
    clock: systemClock,
    timers: systemTimers,
    open: nowMs => openLogStore(path, nowMs),
    warn: log.warn,
    isOn: () => config().log.requests,
    keepDays: () => config().log.keepDays,
  })
}

/** Makes the part that has decisions of the scheduler explained; `accounts` counts those in the pool. */
export function buildExplainer(config: () => Config, accounts: () => number): Explainer {
  const wish = () => (config().log.requests ? config().log.explain : "never")
  return makeExplainer({ clock: systemClock, wish, accounts })
}
