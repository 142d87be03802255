/** What the gateway says about itself: health for monitors, readiness for orchestrators, statistics for operators. */

import { type Account, maskLabel } from "#core/account.ts"
import type { Clock } from "#core/clock.ts"
import type { QuotaSnapshot } from "#core/upstream.ts"
import type { Journal } from "#gateway/journal/journal.ts"
import { type ForecastReport, reportForecast, type WindowReport } from "#gateway/quota/forecast-report.ts"
import type { QuotaHistory } from "#gateway/quota/quota-history.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"
import type { AccountView, PoolCounts } from "#scheduler/types.ts"
import type { Counters, Counts } from "#telemetry/counters.ts"

import type { Pool } from "./pool.ts"
import { makeRelayBook, type RelayBook, type RelayReport } from "./relay-book.ts"

/** `GET /health`. `ok` = accounts can serve, `degraded` = some cannot, `unavailable` = none can. */
type HealthReport = {
  readonly status: "ok" | "degraded" | "unavailable"
  readonly available: number
  readonly total: number
  /** Threads that carry bytes; absent where one does it all. */
  readonly relays?: RelayReport
}

/** `GET /health/ready`. `reasons` is empty when ready. */
type Readiness = { readonly ready: boolean; readonly reasons: readonly string[] }

/** One account of `GET /stats`. Names are masked; times are RFC 3339. */
export type AccountStats = {
  readonly id: string
  readonly label: string
  readonly plan?: string
  /** One word for the state; the log and `reason` say more. */
  readonly status: "ready" | "cooldown" | "error" | "disabled"
  readonly reason?: string
  /** `uncertain`: a token refresh has no known end; the account serves while its access token holds. */
  readonly credential: AccountView["credential"]
  readonly until?: string
  readonly in_flight: number
  readonly concurrency: number
  /** 0–100, and the tier that follows from it. */
  readonly score: number
  readonly tier: AccountView["tier"]
  /** Absent before the first request. */
  readonly requests?: Counts
  readonly quota?: QuotaSnapshot
  /** The pace of each window. */
  readonly quota_forecast?: readonly WindowReport[]
  readonly transitions: AccountView["transitions"]
}

/** `GET /stats`. */
type Stats = {
  readonly version: string
  readonly uptime_seconds: number
  readonly pool: PoolCounts
  readonly totals: Counts
  /** Threads that carry bytes; absent where one does it all. */
  readonly relays?: RelayReport
  /** The request log: what waits to be written, what was only counted, what no batch could take. */
  readonly log: {
    readonly queued: number
    readonly dropped: number
    readonly refused: number
    readonly written_at: string | null
  }
  /** Until when the pool's quota lasts at the present pace, by length of window. */
  readonly quota_forecast: ForecastReport["pool"]
  readonly accounts: readonly AccountStats[]
}

/** What the reports are made from. */
export type StatusParts = {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly pool: Pool
  readonly counters: Counters
  readonly history: QuotaHistory
  readonly journal: Pick<Journal, "status">
  readonly version: string
  readonly startedAtMs: number
  /** Sentences about what is not ready besides the accounts; empty = nothing. */
  readonly notReady: () => readonly string[]
}

/** The three reports. */
export type Status = {
  readonly health: () => HealthReport
  readonly readiness: () => Readiness
  readonly stats: () => Stats
  /** Who starts relay threads shows them here. */
  readonly showRelays: RelayBook["show"]
}

/** Makes the reports. */
export function makeStatus(parts: StatusParts): Status {
  const relays = makeRelayBook()
  return {
    showRelays: relays.show,
    health: () => ({ ...healthOf(parts.scheduler.counts()), ...relaysOf(relays) }),
    readiness: () => readinessOf(parts.scheduler.counts(), parts.notReady()),
    stats: () => statsOf(parts, relays),
  }
}

function healthOf(counts: PoolCounts): HealthReport {
  const { available, total } = counts
  const status = available === 0 ? "unavailable" : available < total ? "degraded" : "ok"
  return { status, available, total }
}

function readinessOf(counts: PoolCounts, others: readonly string[]): Readiness {
  const reasons = [...others]
  if (counts.total === 0) reasons.push("No account is loaded: `sluice login` signs one in.")
  else if (counts.available === 0) reasons.push(`None of ${counts.total} accounts can serve: ${reasonText(counts)}.`)
  return { ready: reasons.length === 0, reasons }
}

function reasonText(counts: PoolCounts): string {
  const entries = Object.entries(counts.byReason).map(([reason, count]) => `${count} ${reason}`)
  return entries.length === 0 ? "all are busy" : entries.join(", ")
}

function statsOf(parts: StatusParts, relays: RelayBook): Stats {
  const accounts = new Map(parts.pool.accounts().map(account => [account.id, account]))
  const counted = parts.counters.snapshot()
  const forecast = reportForecast(parts)
  const paces = new Map(forecast.accounts.map(({ account, windows }) => [account, windows]))
  return {
    version: parts.version,
    uptime_seconds: Math.floor((parts.clock() - parts.startedAtMs) / 1000),
    pool: parts.scheduler.counts(),
    totals: counted.total,
    ...relaysOf(relays),
    log: logStats(parts.journal),
    quota_forecast: forecast.pool,
    accounts: parts.scheduler.view().map(view => {
      const requests = counted.accounts.get(view.id)
      return accountStats(view, {
        account: accounts.get(view.id),
        isDoubted: parts.pool.isDoubted(view.id),
        quota: parts.pool.quotaOf(view.id),
        forecast: paces.get(view.id),
        requests,
      })
    }),
  }
}

function relaysOf(relays: RelayBook): { readonly relays?: RelayReport } {
  const report = relays.report()
  return report === undefined ? {} : { relays: report }
}

function logStats({ status }: StatusParts["journal"]): Stats["log"] {
  const { queued, dropped, refused, writtenAtMs } = status()
  return {
    queued,
    dropped,
    refused,
    written_at: writtenAtMs === undefined ? null : new Date(writtenAtMs).toISOString(),
  }
}

type AccountFacts = {
  readonly account: Account | undefined
  readonly isDoubted: boolean
  readonly quota: QuotaSnapshot | undefined
  readonly forecast: readonly WindowReport[] | undefined
  readonly requests: Counts | undefined
}

function accountStats(view: AccountView, facts: AccountFacts): AccountStats {
  const untilMs = Math.max(
    0,
    ...view.blocks.filter(block => block.scope.type === "account").map(block => block.untilMs),
  )
  return {
    id: view.id,
    label: maskLabel(facts.account?.label ?? view.id),
    ...(view.plan !== undefined && { plan: view.plan }),
    status: statusWord(view),
    ...(view.reason !== undefined && { reason: view.reason }),
    credential: facts.isDoubted ? "uncertain" : view.credential,
    ...(untilMs > 0 && { until: new Date(untilMs).toISOString() }),
    in_flight: view.load,
    concurrency: view.cap,
    score: view.score,
    tier: view.tier,
    ...(facts.requests !== undefined && { requests: facts.requests }),
    ...(facts.quota !== undefined && { quota: facts.quota }),
    ...(facts.forecast !== undefined && { quota_forecast: facts.forecast }),
    transitions: view.transitions,
  }
}

/** Nothing but an operator ends these. */
const NEEDS_PROXY: ReadonlySet<AccountView["reason"]> = new Set(["proxy-missing", "proxy-disabled", "proxy-unusable"])

function statusWord(view: AccountView): AccountStats["status"] {
  if (view.lifecycle === "paused") return "disabled"
  if (view.lifecycle !== "enabled" || view.credential === "expired" || view.credential === "uncertain") return "error"
  if (view.available) return "ready"
  return NEEDS_PROXY.has(view.reason) ? "error" : "cooldown"
}
