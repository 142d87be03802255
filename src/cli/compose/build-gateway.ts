/** Puts the gateway together over a built pool: turns, model endpoints, status, operators' routes. */

import type { Account } from "#core/account.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import type { Outcome } from "#core/outcome.ts"
import { type Gateway, makeGateway } from "#gateway/gateway.ts"
import { checkQuota, type QuotaReport } from "#gateway/pool/quota-check.ts"
import { makeStatus } from "#gateway/pool/status.ts"
import type { Counters } from "#telemetry/counters.ts"

import type { BuiltPool } from "./build-pool.ts"
import { type BuiltServing, buildServing } from "./build-serving.ts"
import type { GatewayContext } from "./gateway-context.ts"
import { refreshReport } from "./refresh-report.ts"
import { startProbing } from "./start-probing.ts"

/** What the gateway is built from. */
export type BuildGatewayParts = GatewayContext & {
  readonly built: BuiltPool
  readonly counters: Counters
  readonly record: (outcome: Outcome) => void
  readonly version: string
}

/** The gateway and its background work. */
export type BuiltGateway = {
  readonly gateway: Gateway
  readonly bindings: BuiltServing["bindings"]
  /** Starts probing; the returned function ends it and the shared ticker. */
  readonly startProbing: () => () => void
}

/** Builds the gateway. */
export function buildGateway(parts: BuildGatewayParts): BuiltGateway {
  const { config, built, send } = parts
  const { pool, providers, scheduler, catalogue } = built
  const { serving, heartbeat, bindings, slugOf } = buildServing(parts)
  const askQuota = (account: Account): Promise<QuotaReport> =>
    checkQuota(account, {
      clock: systemClock,
      timers: systemTimers,
      pool,
      providers,
      send,
      usageUrl: config().usageUrl,
    })
  const gateway = makeGateway({
    serving,
    catalogue,
    slugOf,
    compactMode: () => config().compact,
    status: makeStatus({
      clock: systemClock,
      scheduler,
      pool,
      counters: parts.counters,
      version: parts.version,
      startedAtMs: systemClock(),
      notReady: () => [],
    }),
    accounts: pool.accounts,
    refresh: account => refreshReport(account, parts.accounts()),
    checkQuota: askQuota,
    concurrency: () => config().healthCheckConcurrency,
  })
  return {
    gateway,
    bindings,
    startProbing: () => {
      const stop = startProbing({ config, built, probe: askQuota, reportFailure: parts.reportFailure })
      return () => {
        stop()
        heartbeat.stop()
      }
    },
  }
}
