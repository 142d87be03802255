/** What monitors and operators are told of the gateway as a whole. */

import { systemClock } from "#core/clock.ts"
import { makeStatus, type Status } from "#gateway/pool/status.ts"

import type { BuiltPool } from "./build-pool.ts"
import type { Recorder } from "./make-record.ts"

/** What it is built from. */
export type BuildStatusParts = Pick<Recorder, "counters" | "journal"> & {
  readonly built: Pick<BuiltPool, "scheduler" | "pool" | "quota">
  readonly version: string
}

/** Builds it; the gateway counts as started now. */
export function buildStatus({ built, counters, journal, version }: BuildStatusParts): Status {
  const { scheduler, pool, quota } = built
  return makeStatus({
    clock: systemClock,
    scheduler,
    pool,
    counters,
    history: quota.history,
    journal,
    version,
    startedAtMs: systemClock(),
    notReady: () => [],
  })
}
