/** Keeps finished requests in `log.db`, behind them and never in their way, with sums that follow from the rows. */

import type { Clock, Timers } from "#core/clock.ts"
import type { Outcome } from "#core/outcome.ts"
import type { EventRow, ReadingRow } from "#store/log/account-rows.ts"
import { isDamage } from "#store/log/log-database.ts"
import type { LogStore } from "#store/log/log-store.ts"

import { type Backlog, type BacklogStatus, isHeldUp, makeBacklog } from "./backlog.ts"
import { timeOf } from "./entry.ts"
import { type Cells, makeCells } from "./grains.ts"
import { type LogHandle, type LogHandleParts, makeLogHandle, noLog } from "./log-handle.ts"
import { type KeepDays, pruneLog } from "./retention.ts"

/** What the journal needs. */
export type JournalParts = Pick<LogHandleParts, "open" | "warn"> & {
  readonly clock: Clock
  readonly timers: Timers
  /** False: nothing is recorded. */
  readonly isOn: () => boolean
  readonly keepDays: () => KeepDays
}

/** The journal. */
export type Journal = {
  /** Takes note of a finished request; returns at once. */
  readonly record: (outcome: Outcome) => void
  readonly noteEvents: (rows: readonly EventRow[]) => void
  readonly noteReadings: (rows: readonly ReadingRow[]) => void
  /** Opens the log, brings its sums up to date and begins to look after it. The returned function ends that. */
  readonly start: () => () => void
  /** Reads after everything is written that has been recorded. Throws `internal` while there is no log. */
  readonly read: <Found>(run: (log: LogStore) => Found) => Found
  readonly status: () => BacklogStatus
  /** Writes what has been recorded so far, with its sums: whoever goes on with the log finds both. Never throws. */
  readonly flush: () => void
  /** Writes what is left and closes the log. Never throws. */
  readonly close: () => void
}

const ROLL_MS = 5_000
const ROLL_CELLS = 2_000
const CATCH_UP_ROWS = 5_000
const MAX_NOTED = 10_000
const PRUNE_MS = 600_000
/** Whoever reads does not wait for a backlog of minutes. */
const READ_BATCHES = 10

type Book = JournalParts & {
  readonly cells: Cells
  readonly handle: LogHandle
  readonly backlog: Backlog
  events: readonly EventRow[]
  readings: readonly ReadingRow[]
}

/** Makes a journal that has nothing open. */
export function makeJournal(parts: JournalParts): Journal {
  const { clock, timers } = parts
  const cells = makeCells()
  const handle = makeLogHandle({ ...parts, opened: log => catchUp(log, backlog) })
  const backlog: Backlog = makeBacklog({
    ...parts,
    cells,
    handle,
    wrote: () => {
      if (cells.size() >= ROLL_CELLS) rollUp(book)
    },
  })
  const book: Book = { ...parts, cells, handle, backlog, events: [], readings: [] }
  return {
    record: outcome => {
      if (parts.isOn()) backlog.push(outcome)
    },
    noteEvents: rows => {
      book.events = [...book.events, ...rows].slice(-MAX_NOTED)
    },
    noteReadings: rows => {
      book.readings = [...book.readings, ...rows].slice(-MAX_NOTED)
    },
    start: () => {
      handle.current()
      const stopRolling = timers.every(ROLL_MS, () => {
        handle.check()
        rollUp(book)
      })
      const stopPruning = pruneLog(PRUNE_MS, { clock, timers, log: handle.current, keepDays: parts.keepDays })
      return () => {
        stopRolling()
        stopPruning()
      }
    },
    read: run => {
      backlog.drain(READ_BATCHES)
      rollUp(book)
      const log = handle.current()
      if (log === undefined) throw noLog()
      try {
        return run(log)
      } catch (error) {
        if (!isDamage(error)) throw error
        handle.failed(error)
        throw noLog(error)
      }
    },
    status: backlog.status,
    flush: () => {
      backlog.drain(Number.POSITIVE_INFINITY)
      rollUp(book)
    },
    close: () => {
      backlog.stop()
      backlog.drain(Number.POSITIVE_INFINITY)
      rollUp(book)
      handle.close()
    },
  }
}

/** Rows that a kill has kept out of the sums are added now. */
function catchUp(log: LogStore, backlog: Backlog): void {
  let watermark = log.readWatermark()
  for (;;) {
    const rows = log.requestsAfter(watermark, CATCH_UP_ROWS)
    const last = rows.at(-1)
    if (last === undefined) break
    const missing = makeCells()
    for (const row of rows) missing.add({ ...row, endedAtMs: timeOf(row.id) })
    log.addRolls(missing.rows(), last.id)
    watermark = last.id
  }
  backlog.startAfter(watermark)
}

/** Writes the sums together with the id up to which they count; what cannot be written waits for the next round. */
function rollUp(book: Book): void {
  const { cells, handle, backlog } = book
  if (cells.size() === 0 && book.events.length === 0 && book.readings.length === 0) return
  const log = handle.current()
  if (log === undefined) return
  try {
    if (isHeldUp(log)) return
    if (cells.size() > 0) log.addRolls(cells.rows(), backlog.lastId())
    cells.clear()
    if (book.events.length > 0) log.writeEvents(book.events)
    book.events = []
    if (book.readings.length > 0) log.writeReadings(book.readings)
    book.readings = []
  } catch (error) {
    handle.failed(error)
  }
}
