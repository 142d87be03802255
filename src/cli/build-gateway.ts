/** Puts the gateway together over a built pool: turns, model endpoints, status, operators' routes. */

import type { Refresher } from "#accounts/refresh-types.ts"
import type { Config } from "#config/config.ts"
import { type Account, maskLabel } from "#core/account.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import type { Outcome } from "#core/outcome.ts"
import type { SendUpstream } from "#core/upstream.ts"
import { type Gateway, makeGateway, type RefreshReport } from "#gateway/gateway.ts"
import { startHealthCheck } from "#gateway/health-check.ts"
import { planModel } from "#gateway/models/plan-model.ts"
import { checkQuota, type QuotaReport } from "#gateway/quota-check.ts"
import { makeStatus } from "#gateway/status.ts"
import type { Counters } from "#telemetry/counters.ts"

import type { BuiltPool } from "./build-pool.ts"
import { buildServing } from "./build-serving.ts"

/** What the gateway is built from. */
export type BuildGatewayParts = {
  readonly config: () => Config
  readonly built: BuiltPool
  readonly send: SendUpstream
  readonly refresher: () => Refresher
  readonly counters: Counters
  readonly record: (outcome: Outcome) => void
  readonly version: string
  readonly reportFailure: (name: string, cause: unknown) => void
}

/** The gateway and its background work. */
export type BuiltGateway = {
  readonly gateway: Gateway
  /** Starts probing; the returned function ends it and the shared ticker. */
  readonly startProbing: () => () => void
}

/** Builds the gateway. */
export function buildGateway(parts: BuildGatewayParts): BuiltGateway {
  const { config, built, send } = parts
  const { pool, providers, scheduler, catalogue } = built
  const modelsConfig = () => ({
    aliases: {},
    effortPrecedence: config().effortPrecedence,
    legacyModels: "map" as const,
  })
  const { serving, heartbeat } = buildServing({ ...parts, modelsConfig })
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
    slugOf: name => planModel({ name, config: modelsConfig(), catalogue }).slug,
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
    refresh: account => refreshReport(account, parts.refresher()),
    checkQuota: askQuota,
    concurrency: () => config().healthCheckConcurrency,
  })
  return {
    gateway,
    startProbing: () => {
      const stop = startHealthCheck({
        timers: systemTimers,
        clock: systemClock,
        scheduler,
        accounts: pool.accounts,
        probe: askQuota,
        settings: () => probeSettings(config()),
        reportFailure: parts.reportFailure,
      })
      return () => {
        stop()
        heartbeat.stop()
      }
    },
  }
}

function probeSettings(config: Config) {
  return {
    intervalMs: config.healthCheckIntervalMs,
    maxFailures: config.healthCheckMaxFailures,
    concurrency: config.healthCheckConcurrency,
  }
}

async function refreshReport(account: Account, refresher: Refresher): Promise<RefreshReport> {
  const report = { account: account.id, label: maskLabel(account.label) }
  if (account.credential.type === "api-key") return { ...report, status: "not-refreshable" }
  const outcome = await refresher.refresh(account.id, { lane: "operator" })
  if (outcome.type === "failed") return { ...report, status: "failed", error: outcome.failure.code }
  return { ...report, status: outcome.how === "current" ? "current" : "refreshed" }
}
