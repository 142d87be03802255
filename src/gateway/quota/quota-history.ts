/** How the accounts' windows have filled up: a bounded list of readings for each window. */

import type { Clock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import type { QuotaSnapshot } from "#core/upstream.ts"

import { type NamedWindow, windowKey, windowsOf } from "./quota-windows.ts"

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

/** A reading that can stand alone: what is kept over a restart. `bucket` is empty for the main quota. */
export type KeptReading = {
  readonly accountId: AccountId
  readonly bucket: string
  readonly windowSec: number
  readonly atMs: number
  readonly usedPercent: number
  readonly resetsAtSec: number | null
}

/** The memory. */
export type QuotaHistory = {
  readonly heard: (id: AccountId, quota: QuotaSnapshot) => void
  readonly of: (id: AccountId) => readonly WindowHistory[]
  readonly forget: (id: AccountId) => void
  /** Puts kept readings, oldest first, before what has been heard since. */
  readonly restore: (kept: readonly KeptReading[]) => void
  /** Hands over readings that are new since the last time, at most `max`. */
  readonly takeNews: (max: number) => readonly KeptReading[]
}

/** Eight quiet hours, or half a window that fills: enough for a pace, and 6 KB an account with two windows (heap after collection, ten thousand accounts). */
const MAX_READINGS = 48
/** A change of a point is news, and so is silence that has lasted this long. */
const NEWS_POINTS = 1
const QUIET_MS = 10 * 60_000
/** Nobody may be taking them. */
const MAX_NEWS = 50_000

/** Makes an empty memory. */
export function makeQuotaHistory({ clock }: { readonly clock: Clock }): QuotaHistory {
  const accounts = new Map<AccountId, Map<string, WindowHistory>>()
  let news: KeptReading[] = []

  return {
    heard: (id, quota) => {
      const known = accounts.get(id) ?? new Map<string, WindowHistory>()
      const nowMs = clock()
      for (const window of windowsOf(quota)) {
        const before = known.get(window.key)
        if (!isNews(before?.readings.at(-1), window, nowMs)) continue
        known.set(window.key, withReading(before, window, nowMs))
        if (news.length < MAX_NEWS) news.push(keptOf(id, window, nowMs))
      }
      if (known.size > 0) accounts.set(id, known)
    },
    of: id => [...(accounts.get(id)?.values() ?? [])],
    forget: id => {
      accounts.delete(id)
    },
    restore: kept => {
      for (const [id, rows] of Map.groupBy(kept, row => row.accountId)) {
        accounts.set(id, joined(rows, accounts.get(id) ?? new Map()))
      }
    },
    takeNews: max => {
      const taken = news.slice(0, max)
      news = news.slice(max)
      return taken
    },
  }
}

function joined(kept: readonly KeptReading[], known: Map<string, WindowHistory>): Map<string, WindowHistory> {
  const windows = new Map(known)
  for (const [key, rows] of Map.groupBy(kept, row => windowKey(row.bucket, row.windowSec))) {
    const later = known.get(key)?.readings ?? []
    const isEarlier = (row: KeptReading) => row.atMs < (later[0]?.atMs ?? Number.POSITIVE_INFINITY)
    const earlier = rows.filter(isEarlier).map(readingOf)
    const { bucket = "", windowSec = 0 } = rows[0] ?? {}
    const readings = [...earlier, ...later].slice(-MAX_READINGS)
    windows.set(key, { bucket: bucket === "" ? undefined : bucket, windowSec, readings })
  }
  return windows
}

function readingOf({ atMs, usedPercent, resetsAtSec }: KeptReading): QuotaReading {
  return { atMs, usedPercent, resetsAtSec: resetsAtSec ?? undefined }
}

function keptOf(accountId: AccountId, { bucket = "", windowSec, usedPercent, resetsAtSec }: NamedWindow, atMs: number) {
  return { accountId, bucket, windowSec, atMs, usedPercent, resetsAtSec: resetsAtSec ?? null }
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
