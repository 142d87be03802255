/** What keeps the log in bounds: rows that no batch could take, and old rows that go away in pieces. */

import type { Database } from "bun:sqlite"

/** An entry that could not be stored, and why. */
export type DeadLetter = { readonly atMs: number; readonly reason: string; readonly entryJson: string }

/** Functions that keep it in bounds. Each deletes at most `limit` rows and returns how many. */
export type UpkeepRows = {
  readonly bury: (letter: DeadLetter) => void
  readonly countDeadLetters: () => number
  readonly deleteRequestsBefore: (id: number, limit: number) => number
  readonly deleteDetailsBefore: (id: number, limit: number) => number
  readonly deleteEventsBefore: (atMs: number, limit: number) => number
  readonly deleteReadingsBefore: (atMs: number, limit: number) => number
  readonly deleteDeadLettersBefore: (atMs: number, limit: number) => number
  /** Gives up to this many unused pages back to the disk. */
  readonly shrink: (pages: number) => void
}

/** Prepares the statements on an open log. */
export function makeUpkeepRows(database: Database): UpkeepRows {
  const bury = database.prepare<null, DeadLetter>(
    "insert into dead_letters (at_ms, reason, entry_json) values ($atMs, $reason, $entryJson)",
  )
  const count = database.prepare<{ count: number }, []>("select count(*) as count from dead_letters")
  /** Tables without row ids are named by what their rows are told apart by. */
  const prune = (table: string, column: string, key = "rowid") => {
    const statement = database.prepare<null, [number, number]>(
      `delete from ${table} where (${key}) in (select ${key} from ${table} where ${column} < ? order by ${column} limit ?)`,
    )
    return (before: number, limit: number) => statement.run(before, limit).changes
  }
  const attempts = prune("attempts", "request", "request, n")
  const details = prune("details", "request")
  return {
    bury: letter => {
      bury.run(letter)
    },
    countDeadLetters: () => count.get()?.count ?? 0,
    deleteRequestsBefore: prune("requests", "id"),
    deleteDetailsBefore: (id, limit) => attempts(id, limit) + details(id, limit),
    deleteEventsBefore: prune("account_events", "at_ms"),
    deleteReadingsBefore: prune("quota_history", "at_ms", "account_id, at_ms, bucket, window_sec"),
    deleteDeadLettersBefore: prune("dead_letters", "at_ms"),
    shrink: pages => {
      // A pragma takes no bound parameter; the value is a number of the caller's own.
      database.run(`pragma incremental_vacuum(${Math.trunc(pages)})`)
    },
  }
}
