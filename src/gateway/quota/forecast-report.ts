/** The forecast as operators read it. Times are RFC 3339. */

import { type Account, maskLabel } from "#core/account.ts"
import type { Clock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import type { QuotaSnapshot } from "#core/upstream.ts"

import { forecastOf, type Pace, poolForecast, type WindowForecast } from "./forecast.ts"
import type { QuotaHistory } from "./quota-history.ts"

type PaceReport = {
  /** Null = too few readings to say; so is `full_at` then. */
  readonly percent_per_hour: number | null
  /** When it is used up at this pace, resets left aside; null = never, or unknown. */
  readonly full_at: string | null
}

/** One window of an account. */
export type WindowReport = PaceReport & {
  readonly bucket: string | null
  readonly window_seconds: number
  readonly used_percent: number
  readonly resets_at: string | null
  /** It resets before it is full, at this pace; null = unknown. */
  readonly lasts_until_reset: boolean | null
}

/** The main windows of one length of all accounts. */
export type PoolWindowReport = PaceReport & {
  readonly window_seconds: number
  readonly accounts: number
  readonly measured: number
  readonly remaining_percent: number
}

/** The whole. */
export type ForecastReport = {
  readonly pool: readonly PoolWindowReport[]
  readonly accounts: readonly {
    readonly account: string
    readonly label: string
    readonly windows: readonly WindowReport[]
  }[]
}

/** What it is made from. */
export type ForecastParts = {
  readonly clock: Clock
  readonly pool: {
    readonly accounts: () => readonly Account[]
    readonly quotaOf: (id: AccountId) => QuotaSnapshot | undefined
  }
  readonly history: Pick<QuotaHistory, "of">
}

/** Makes the report. Accounts that have said nothing about their quota are not in it. */
export function reportForecast({ clock, pool, history }: ForecastParts): ForecastReport {
  const nowMs = clock()
  const known = pool.accounts().flatMap(({ id, label }) => {
    const quota = pool.quotaOf(id)
    return quota === undefined ? [] : [{ id, label, windows: forecastOf(id, quota, { history, nowMs }) }]
  })
  return {
    pool: poolForecast(
      known.map(({ windows }) => windows),
      nowMs,
    ).map(({ windowSec, accounts, measured, remainingPercent, pace }) => ({
      window_seconds: windowSec,
      accounts,
      measured,
      remaining_percent: rounded(remainingPercent),
      ...paceReport(pace),
    })),
    accounts: known.map(({ id, label, windows }) => ({
      account: id,
      label: maskLabel(label),
      windows: windows.map(windowReport),
    })),
  }
}

function windowReport({ bucket, windowSec, usedPercent, resetsAtSec, pace }: WindowForecast): WindowReport {
  const fullAtMs = pace?.fullAtMs ?? Number.POSITIVE_INFINITY
  return {
    bucket: bucket ?? null,
    window_seconds: windowSec,
    used_percent: usedPercent,
    resets_at: resetsAtSec === undefined ? null : timeText(resetsAtSec * 1000),
    ...paceReport(pace),
    lasts_until_reset: pace === undefined || resetsAtSec === undefined ? null : fullAtMs >= resetsAtSec * 1000,
  }
}

function paceReport(pace: Pace | undefined): PaceReport {
  return {
    percent_per_hour: pace === undefined ? null : rounded(pace.percentPerHour),
    full_at: pace?.fullAtMs === undefined ? null : timeText(pace.fullAtMs),
  }
}

/** The last moment a date can name; a pace of nearly nothing leads beyond it. */
const LAST_TIME_MS = 8.64e15

function timeText(atMs: number): string | null {
  return atMs > LAST_TIME_MS ? null : new Date(atMs).toISOString()
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
