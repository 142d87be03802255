/** What operators can read of the past: requests, and what they come to. */

import type { ReadingRow } from "#store/log/account-rows.ts"

import { makeRequestDesk, type RequestDesk, type RequestDeskParts } from "./requests.ts"
import { findTargets } from "./targets.ts"
import { makeUsageDesk, type UsageReport, type UsageWish } from "./usage.ts"

/** The records. Everything throws `internal` while there is no log. */
export type RecordsDesk = RequestDesk & {
  /** Sums by hour or day. */
  readonly usage: (wish: UsageWish) => UsageReport
  /** Changes of an account's state, the newest first. Throws `not-found`. */
  readonly events: (target: string, limit: number) => readonly EventReport[]
  /** How its windows have filled up over weeks, oldest first: a reading an hour, and each move of five points. */
  readonly readings: (target: string, sinceMs: number) => readonly ReadingReport[]
  /** Copies the database. Rejects with `internal` when the disk has no room for the copy. */
  readonly backUp: () => Promise<BackupStream>
  /** Milliseconds since the epoch: what "an hour ago" counts from. */
  readonly now: () => number
}

/** One change of an account's state. */
export type EventReport = { readonly at: string; readonly change: string; readonly detail: string }

/** One reading of one window. */
export type ReadingReport = {
  readonly at: string
  /** Null = the main quota. */
  readonly bucket: string | null
  readonly window_seconds: number
  readonly used_percent: number
  readonly resets_at: string | null
}

/** Enough for 90 days of two windows by the hour. */
const MAX_READINGS = 10_000

/** A backup on its way; whoever does not read it to its end cancels it. */
export type BackupStream = { readonly totalBytes: number; readonly body: ReadableStream<Uint8Array<ArrayBuffer>> }

/** What they are read from. */
export type RecordsDeskParts = RequestDeskParts & { readonly backUp: () => Promise<BackupStream> }

/** Makes the records part of the desk. */
export function makeRecordsDesk(parts: RecordsDeskParts): RecordsDesk {
  return {
    ...makeRequestDesk(parts),
    usage: makeUsageDesk(parts),
    events: (target, limit) => {
      const [account] = findTargets([target], parts.accounts())
      if (account === undefined) return []
      return parts.journal
        .read(log => log.listEvents(account.id, limit))
        .map(({ atMs, change, detail }) => ({ at: timeText(atMs), change, detail }))
    },
    readings: (target, sinceMs) => {
      const [account] = findTargets([target], parts.accounts())
      if (account === undefined) return []
      return parts.journal.read(log => log.readingsOf(account.id, sinceMs, MAX_READINGS)).map(readingOf)
    },
    backUp: parts.backUp,
    now: parts.clock,
  }
}

function readingOf({ atMs, bucket, windowSec, usedPercent, resetsAtSec }: ReadingRow): ReadingReport {
  return {
    at: timeText(atMs),
    bucket: bucket === "" ? null : bucket,
    window_seconds: windowSec,
    used_percent: usedPercent,
    resets_at: resetsAtSec === null ? null : timeText(resetsAtSec * 1000),
  }
}

function timeText(atMs: number): string {
  return new Date(atMs).toISOString()
}
