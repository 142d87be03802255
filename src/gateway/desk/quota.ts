/** Quota of the whole pool at the operators' desk. */

import type { AccountPool } from "#accounts/account-pool.ts"
import { maskLabel } from "#core/account.ts"
import type { Clock } from "#core/clock.ts"
import type { Pool } from "#gateway/pool/pool.ts"
import { type ForecastReport, reportForecast } from "#gateway/quota/forecast-report.ts"
import type { QuotaHistory } from "#gateway/quota/quota-history.ts"
import type { QuotaWarning, QuotaWarnings } from "#gateway/quota/quota-warnings.ts"

import { makeResetCreditDesk, type ResetCreditDesk, type ResetCreditDeskParts } from "./reset-credits.ts"
import { findTargets } from "./targets.ts"

/** A window of which much is used. Times are RFC 3339. */
export type WarningReport = {
  readonly account: string
  /** Masked. */
  readonly label: string
  /** The named quota; null = the main one. */
  readonly bucket: string | null
  readonly window_seconds: number
  readonly used_percent: number
  /** The highest threshold that was crossed. */
  readonly threshold: number
  readonly since: string
  readonly resets_at: string | null
}

/** How a window has filled up, oldest reading first. */
export type WindowHistoryReport = {
  readonly bucket: string | null
  readonly window_seconds: number
  readonly readings: readonly {
    readonly at: string
    readonly used_percent: number
    readonly resets_at: string | null
  }[]
}

/** What operators can see of quota. */
export type QuotaDesk = {
  /** The fullest window first. */
  readonly warnings: () => readonly WarningReport[]
  readonly forecast: () => ForecastReport
  /** Throws `not-found` for an account that does not exist. */
  readonly history: (target: string) => readonly WindowHistoryReport[]
  readonly resetCredits: ResetCreditDesk
}

/** What it is read from. */
export type QuotaDeskParts = ResetCreditDeskParts & {
  readonly accounts: () => AccountPool
  readonly clock: Clock
  readonly pool: Pick<Pool, "accounts" | "quotaOf">
  readonly warnings: QuotaWarnings
  readonly history: QuotaHistory
}

/** Makes the quota part of the desk. */
export function makeQuotaDesk(parts: QuotaDeskParts): QuotaDesk {
  const { pool, warnings, history } = parts
  return {
    resetCredits: makeResetCreditDesk(parts),
    forecast: () => reportForecast(parts),
    history: target =>
      findTargets([target], parts.accounts())
        .flatMap(({ id }) => history.of(id))
        .map(({ bucket = null, windowSec, readings }) => ({
          bucket,
          window_seconds: windowSec,
          readings: readings.map(({ atMs, usedPercent, resetsAtSec }) => ({
            at: new Date(atMs).toISOString(),
            used_percent: usedPercent,
            resets_at: timeOf(resetsAtSec),
          })),
        })),
    warnings: () => {
      const labels = new Map(pool.accounts().map(({ id, label }) => [id, label]))
      return warnings
        .all()
        .toSorted((one, other) => other.usedPercent - one.usedPercent)
        .map(warning => reportOf(warning, labels.get(warning.account) ?? warning.account))
    },
  }
}

function reportOf(warning: QuotaWarning, label: string): WarningReport {
  const { account, bucket = null, windowSec, usedPercent, threshold, sinceMs, resetsAtSec } = warning
  return {
    account,
    label: maskLabel(label),
    bucket,
    window_seconds: windowSec,
    used_percent: usedPercent,
    threshold,
    since: new Date(sinceMs).toISOString(),
    resets_at: timeOf(resetsAtSec),
  }
}

function timeOf(atSec: number | undefined): string | null {
  return atSec === undefined ? null : new Date(atSec * 1000).toISOString()
}
