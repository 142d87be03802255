/** How the accounts' windows have filled up: a bounded list of readings for each window. */

import type { Clock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import type { QuotaSnapshot } from "#core/upstream.ts"

import { type NamedWindow, windowsOf } from "./quota-windows.ts"

/** One reading. */
export type QuotaReading = {
  readonly atMs: number
  readonly usedPercent: number
  readonly resetsAtSec: number | undefined
}

/** Readings of one window, oldest first. */
export type WindowHistory = {
  /** Undefined = the main quota. */
  readonly bucket: string | undefined
  readonly windowSec: number
  readonly readings: readonly QuotaReading[]
}

/** The memory. */
export type QuotaHistory = {
  readonly heard: (id: AccountId, quota: QuotaSnapshot) => void
  readonly of: (id: AccountId) => readonly WindowHistory[]
  readonly forget: (id: AccountId) => void
}

/** Eight quiet hours, or half a window that fills: enough for a pace, and 6 KB an account with two windows (heap after collection, ten thousand accounts). */
const MAX_READINGS = 48
/** A change of a point is news, and so is silence that has lasted this long. */
const NEWS_POINTS = 1
const QUIET_MS = 10 * 60_000

/** Makes an empty memory. */
export function makeQuotaHistory({ clock }: { readonly clock: Clock }): QuotaHistory {
  const accounts = new Map<AccountId, Map<string, WindowHistory>>()

  return {
    heard: (id, quota) => {
      const known = accounts.get(id) ?? new Map<string, WindowHistory>()
      const nowMs = clock()
      for (const window of windowsOf(quota)) {
        const before = known.get(window.key)
        if (isNews(before?.readings.at(-1), window, nowMs)) known.set(window.key, withReading(before, window, nowMs))
      }
      if (known.size > 0) accounts.set(id, known)
    },
    of: id => [...(accounts.get(id)?.values() ?? [])],
    forget: id => {
      accounts.delete(id)
    },
  }
}

function isNews(last: QuotaReading | undefined, { usedPercent }: NamedWindow, nowMs: number): boolean {
  if (last === undefined || nowMs - last.atMs >= QUIET_MS) return true
  // A fall of any size is a reset or a correction.
  return usedPercent < last.usedPercent || usedPercent - last.usedPercent >= NEWS_POINTS
}

function withReading(before: WindowHistory | undefined, window: NamedWindow, nowMs: number): WindowHistory {
  const { bucket, windowSec, usedPercent, resetsAtSec } = window
  const readings = [...(before?.readings ?? []).slice(1 - MAX_READINGS), { atMs: nowMs, usedPercent, resetsAtSec }]
  return { bucket, windowSec, readings }
}
