/** What was learned of accounts while they served: health, quota, and its latest readings. Written behind, read at start. */

import type { Database } from "bun:sqlite"

import type { AccountId } from "#core/ids.ts"

/** What was learned of one account, as JSON of whoever has learned it. */
export type LearnedRow = { readonly accountId: AccountId; readonly json: string; readonly updatedAtMs: number }

/** One reading of one window; `bucket` is empty for the main quota. */
export type QuotaReadingRow = {
  readonly accountId: AccountId
  readonly bucket: string
  readonly windowSec: number
  readonly atMs: number
  readonly usedPercent: number
  readonly resetsAtSec: number | null
}

/** Functions over the tables `account_health`, `account_quota` and `quota_readings`. */
export type LearnedRows = {
  readonly saveHealth: (rows: readonly LearnedRow[]) => void
  /** Of everybody, or of one account. */
  readonly listHealth: (account?: AccountId) => readonly LearnedRow[]
  readonly saveQuota: (rows: readonly LearnedRow[]) => void
  readonly listQuota: (account?: AccountId) => readonly LearnedRow[]
  readonly saveReadings: (rows: readonly QuotaReadingRow[]) => void
  /** Those since `sinceMs`, of everybody or of one account, at most `maxRows` and then the newest; oldest first. */
  readonly listReadings: (
    range: { readonly sinceMs: number; readonly maxRows: number },
    account?: AccountId,
  ) => readonly QuotaReadingRow[]
  /** Deletes up to `maxRows` of each table that are older; returns how many. */
  readonly deleteOldLearned: (before: {
    readonly learnedMs: number
    readonly readingsMs: number
    readonly maxRows: number
  }) => number
}

/** Both tables have this form. */
function makeTable(
  database: Database,
  table: "account_health" | "account_quota",
  column: "health_json" | "quota_json",
) {
  const write = database.prepare<null, LearnedRow>(
    `insert or replace into ${table} values ($accountId, $json, $updatedAtMs)`,
  )
  const columns = `account_id as accountId, ${column} as json, updated_at_ms as updatedAtMs`
  const list = database.prepare<LearnedRow, []>(`select ${columns} from ${table}`)
  const one = database.prepare<LearnedRow, [string]>(`select ${columns} from ${table} where account_id = ?`)
  const deleteOld = database.prepare<null, [number, number]>(
    `delete from ${table} where account_id in (select account_id from ${table} where updated_at_ms < ? limit ?)`,
  )
  return {
    save: database.transaction((rows: readonly LearnedRow[]) => {
      for (const row of rows) write.run(row)
    }),
    list: (account?: AccountId) => (account === undefined ? list.all() : one.all(account)),
    deleteOld: (beforeMs: number, maxRows: number) => deleteOld.run(beforeMs, maxRows).changes,
  }
}

/** Prepares the statements on an open database. */
export function makeLearnedRows(database: Database): LearnedRows {
  const health = makeTable(database, "account_health", "health_json")
  const quota = makeTable(database, "account_quota", "quota_json")
  const write = database.prepare<null, QuotaReadingRow>(
    "insert or replace into quota_readings values ($accountId, $bucket, $windowSec, $atMs, $usedPercent, $resetsAtSec)",
  )
  const columns = `account_id as accountId, bucket, window_sec as windowSec, at_ms as atMs, used_percent as usedPercent,
    resets_at_sec as resetsAtSec`
  const list = database.prepare<QuotaReadingRow, [number, number]>(
    `select ${columns} from quota_readings where at_ms >= ? order by at_ms desc limit ?`,
  )
  const one = database.prepare<QuotaReadingRow, [string, number, number]>(
    `select ${columns} from quota_readings where account_id = ? and at_ms >= ? order by at_ms desc limit ?`,
  )
  const deleteReadings = database.prepare<null, [number, number]>(
    `delete from quota_readings where (account_id, bucket, window_sec, at_ms) in
       (select account_id, bucket, window_sec, at_ms from quota_readings where at_ms < ? order by at_ms limit ?)`,
  )
  return {
    saveHealth: health.save,
    listHealth: health.list,
    saveQuota: quota.save,
    listQuota: quota.list,
    saveReadings: database.transaction((rows: readonly QuotaReadingRow[]) => {
      for (const row of rows) write.run(row)
    }),
    listReadings: ({ sinceMs, maxRows }, account) =>
      (account === undefined ? list.all(sinceMs, maxRows) : one.all(account, sinceMs, maxRows)).reverse(),
    deleteOldLearned: ({ learnedMs, readingsMs, maxRows }) =>
      health.deleteOld(learnedMs, maxRows) +
      quota.deleteOld(learnedMs, maxRows) +
      deleteReadings.run(readingsMs, maxRows).changes,
  }
}
