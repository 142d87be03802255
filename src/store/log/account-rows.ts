/** What has happened to accounts over weeks: their changes of state, and how their windows have filled up. */

import type { Database } from "bun:sqlite"

/** One change of an account's state. */
export type EventRow = {
  readonly accountId: string
  readonly atMs: number
  readonly change: string
  readonly detail: string
}

/** One reading of one window; `bucket` is empty for the main quota. */
export type ReadingRow = {
  readonly accountId: string
  readonly atMs: number
  readonly bucket: string
  readonly windowSec: number
  readonly usedPercent: number
  readonly resetsAtSec: number | null
}

/** Functions over the tables `account_events` and `quota_history`. */
export type AccountLogRows = {
  readonly writeEvents: (rows: readonly EventRow[]) => void
  /** The newest first. */
  readonly listEvents: (accountId: string, limit: number) => readonly EventRow[]
  readonly writeReadings: (rows: readonly ReadingRow[]) => void
  /** Oldest first, at most `limit` and then the newest. */
  readonly readingsOf: (accountId: string, sinceMs: number, limit: number) => readonly ReadingRow[]
}

/** Prepares the statements on an open log. */
export function makeAccountLogRows(database: Database): AccountLogRows {
  const event = database.prepare<null, EventRow>(
    "insert into account_events (account_id, at_ms, change, detail) values ($accountId, $atMs, $change, $detail)",
  )
  const list = database.prepare<EventRow, [string, number]>(
    `select account_id as accountId, at_ms as atMs, change, detail from account_events
     where account_id = ? order by at_ms desc, id desc limit ?`,
  )
  const reading = database.prepare<null, ReadingRow>(
    "insert or replace into quota_history values ($accountId, $atMs, $bucket, $windowSec, $usedPercent, $resetsAtSec)",
  )
  const readings = database.prepare<ReadingRow, [string, number, number]>(
    `select account_id as accountId, at_ms as atMs, bucket, window_sec as windowSec, used_percent as usedPercent,
       resets_at_sec as resetsAtSec
     from quota_history where account_id = ? and at_ms >= ? order by at_ms desc limit ?`,
  )
  return {
    writeEvents: database.transaction((rows: readonly EventRow[]) => {
      for (const row of rows) event.run(row)
    }),
    listEvents: (accountId, limit) => list.all(accountId, limit),
    writeReadings: database.transaction((rows: readonly ReadingRow[]) => {
      for (const row of rows) reading.run(row)
    }),
    readingsOf: (accountId, sinceMs, limit) => readings.all(accountId, sinceMs, limit).reverse(),
  }
}
