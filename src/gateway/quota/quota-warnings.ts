/** Says once that an account has used much of a window, and knows who has. */

import { type Account, maskLabel } from "#core/account.ts"
import type { Clock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import type { QuotaSnapshot } from "#core/upstream.ts"

import { isShort, type NamedWindow, windowsOf } from "./quota-windows.ts"

/** Percentages, ascending, for windows up to a day and for longer ones. */
export type WarningThresholds = { readonly short: readonly number[]; readonly long: readonly number[] }

/** A window that has crossed a threshold. */
export type QuotaWarning = {
  readonly account: AccountId
  /** Undefined = the main quota. */
  readonly bucket: string | undefined
  readonly windowSec: number
  readonly usedPercent: number
  /** The highest one that was crossed. */
  readonly threshold: number
  readonly resetsAtSec: number | undefined
  /** When it was crossed. */
  readonly sinceMs: number
}

/** The watch. */
export type QuotaWarnings = {
  /** Compares what is known now with what was warned of. */
  readonly heard: (account: Account, quota: QuotaSnapshot) => void
  /** Warnings whose window has not reset, by account. */
  readonly of: (id: AccountId) => readonly QuotaWarning[]
  readonly all: () => readonly QuotaWarning[]
  readonly forget: (id: AccountId) => void
}

/** What watching needs. */
export type QuotaWarningsParts = {
  readonly clock: Clock
  readonly thresholds: () => WarningThresholds
  /** Writes one line to the log. */
  readonly warn: (fields: object, message: string) => void
}

/** A reading that falls a little back under a threshold has not left it. */
const SLACK_POINTS = 5
/** Stated resets wander by seconds within one window. */
const SAME_RESET_SEC = 300

/** Makes a watch that has warned of nothing. */
export function makeQuotaWarnings({ clock, thresholds, warn }: QuotaWarningsParts): QuotaWarnings {
  const standing = new Map<AccountId, ReadonlyMap<string, QuotaWarning>>()
  const isCurrent = ({ resetsAtSec }: QuotaWarning) => resetsAtSec === undefined || resetsAtSec * 1000 > clock()

  function say(account: Account, warning: QuotaWarning): void {
    const { bucket, windowSec, usedPercent, threshold, resetsAtSec } = warning
    warn(
      {
        account: account.id,
        label: maskLabel(account.label),
        window_seconds: windowSec,
        used_percent: usedPercent,
        threshold,
        ...(bucket !== undefined && { bucket }),
        ...(resetsAtSec !== undefined && { resets_at: new Date(resetsAtSec * 1000).toISOString() }),
      },
      "quota is running low",
    )
  }

  return {
    heard: (account, quota) => {
      const { short, long } = thresholds()
      const known = standing.get(account.id)
      const next = new Map<string, QuotaWarning>()
      for (const window of windowsOf(quota)) {
        const before = known?.get(window.key)
        const threshold = (isShort(window) ? short : long).findLast(limit => window.usedPercent >= limit)
        const warning = warningOf(account.id, { window, threshold, before, nowMs: clock() })
        if (warning === undefined) continue
        next.set(window.key, warning)
        if (before === undefined || isAnother(before, warning)) say(account, warning)
      }
      if (next.size > 0) standing.set(account.id, next)
      else standing.delete(account.id)
    },
    of: id => [...(standing.get(id)?.values() ?? [])].filter(isCurrent),
    all: () => [...standing.values()].flatMap(warnings => [...warnings.values()]).filter(isCurrent),
    forget: id => {
      standing.delete(id)
    },
  }
}

type Reading = {
  readonly window: NamedWindow
  readonly threshold: number | undefined
  readonly before: QuotaWarning | undefined
  readonly nowMs: number
}

function warningOf(account: AccountId, { window, threshold, before, nowMs }: Reading): QuotaWarning | undefined {
  const { bucket, windowSec, usedPercent, resetsAtSec } = window
  const reading = { account, bucket, windowSec, usedPercent, resetsAtSec }
  const isSame = before !== undefined && !hasReset(before.resetsAtSec, resetsAtSec)
  if (isSame && before.threshold >= (threshold ?? 0) && usedPercent > before.threshold - SLACK_POINTS) {
    return { ...reading, threshold: before.threshold, sinceMs: before.sinceMs }
  }
  return threshold === undefined ? undefined : { ...reading, threshold, sinceMs: nowMs }
}

function isAnother(before: QuotaWarning, after: QuotaWarning): boolean {
  return hasReset(before.resetsAtSec, after.resetsAtSec) || after.threshold > before.threshold
}

function hasReset(before: number | undefined, after: number | undefined): boolean {
  return before !== undefined && after !== undefined && after - before > SAME_RESET_SEC
}
