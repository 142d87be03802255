/** The health check with the settings of the configuration in force. */

import type { Config } from "#config/config.ts"
import type { Account } from "#core/account.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import { startHealthCheck } from "#gateway/pool/health-check.ts"
import type { QuotaReport } from "#gateway/pool/quota-check.ts"

import type { BuiltPool } from "./build-pool.ts"

/** What probing needs. */
export type StartProbingParts = {
  readonly config: () => Config
  readonly built: Pick<BuiltPool, "scheduler" | "pool">
  readonly probe: (account: Account) => Promise<QuotaReport>
  readonly reportFailure: (name: string, cause: unknown) => void
}

/** Starts the probe loop; the returned function ends it. */
export function startProbing({ config, built, probe, reportFailure }: StartProbingParts): () => void {
  return startHealthCheck({
    timers: systemTimers,
    clock: systemClock,
    scheduler: built.scheduler,
    accounts: built.pool.accounts,
    heardAtMs: id => built.pool.quotaOf(id)?.observedAtMs,
    probe,
    settings: () => ({
      intervalMs: config().healthCheckIntervalMs,
      maxFailures: config().healthCheckMaxFailures,
      concurrency: config().healthCheckConcurrency,
    }),
    reportFailure,
  })
}
