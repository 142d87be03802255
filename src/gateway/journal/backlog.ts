/** Finished requests on their way to the log: queued at once, written in batches, counted when they cannot be written. */

import type { CancelTimer, Clock, Timers } from "#core/clock.ts"
import type { Outcome } from "#core/outcome.ts"
import type { LogStore } from "#store/log/log-store.ts"
import type { LogEntry } from "#store/log/request-rows.ts"

import { endOf, entryOf, IDS_A_MS, timeOf } from "./entry.ts"
import type { Cells } from "./grains.ts"
import { isEnvironment, type LogHandle } from "./log-handle.ts"
import { writeIsolated } from "./write-isolated.ts"

/** What the backlog needs. */
export type BacklogParts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly handle: LogHandle
  /** Sums of what has been written or dropped since they were written themselves. */
  readonly cells: Cells
  readonly warn: (fields: object, message: string) => void
  /** Told after each batch. */
  readonly wrote: () => void
}

/** How the backlog is doing. */
export type BacklogStatus = {
  /** Requests that wait to be written. */
  readonly queued: number
  /** Requests that are in the sums only, because they could not be written in time. */
  readonly dropped: number
  /** Requests no batch could take; they lie in the table `dead_letters`. */
  readonly refused: number
  /** Milliseconds since the epoch; undefined before the first. */
  readonly writtenAtMs: number | undefined
}

/** The backlog. */
export type Backlog = {
  readonly push: (outcome: Outcome) => void
  /** Writes up to this many batches now. */
  readonly drain: (maxBatches: number) => void
  /** Id of the last row that was written; every later one gets a higher id, even if the clock was set back. */
  readonly lastId: () => number
  readonly startAfter: (id: number) => void
  readonly status: () => BacklogStatus
  readonly stop: () => void
}

/** What a kill may take: a batch this large or this old is written. */
const BATCH_ROWS = 100
const BATCH_MS = 250
/** Over this, requests are counted and their rows dropped: nobody waits, and memory stays bounded. */
const MAX_QUEUED = 50_000
/** Written in one go, a few milliseconds; what is over waits for the next turn of the event loop. */
const MAX_BATCH_ROWS = 500
/** A reader that holds an old state keeps the write-ahead log from being begun anew: over this, rows are dropped too. */
const MAX_WAL_BYTES = 64 * 1024 * 1024
const RETRY_MS = 1_000

type Book = BacklogParts & {
  queue: Outcome[]
  lastId: number
  dropped: number
  refused: number
  writtenAtMs: number | undefined
  isDropping: boolean
  cancelFlush: CancelTimer
  flushesAtMs: number
}

/** Makes an empty one. */
export function makeBacklog(parts: BacklogParts): Backlog {
  const book: Book = {
    ...parts,
    queue: [],
    lastId: 0,
    dropped: 0,
    refused: 0,
    writtenAtMs: undefined,
    isDropping: false,
    cancelFlush: () => {},
    flushesAtMs: Number.POSITIVE_INFINITY,
  }
  return {
    push: outcome => {
      if (book.queue.length >= MAX_QUEUED) {
        drop(book, [outcome])
        return
      }
      book.queue.push(outcome)
      arm(book, book.queue.length >= BATCH_ROWS ? 0 : BATCH_MS)
    },
    drain: maxBatches => {
      for (let batch = 0; batch < maxBatches && book.queue.length > 0 && writeBatch(book); batch += 1);
    },
    lastId: () => book.lastId,
    startAfter: id => {
      book.lastId = Math.max(book.lastId, id)
    },
    status: () => {
      const { queue, dropped, refused, writtenAtMs } = book
      return { queued: queue.length, dropped, refused, writtenAtMs }
    },
    stop: () => book.cancelFlush(),
  }
}

/** True while a reader keeps the write-ahead log from being emptied and it has grown too large. */
export function isHeldUp(log: LogStore): boolean {
  return log.walBytes() > MAX_WAL_BYTES && !log.checkpoint()
}

function arm(book: Book, delayMs: number): void {
  const atMs = book.clock() + delayMs
  if (atMs >= book.flushesAtMs) return
  book.cancelFlush()
  book.flushesAtMs = atMs
  book.cancelFlush = book.timers.after(delayMs, () => flush(book))
}

function flush(book: Book): void {
  book.flushesAtMs = Number.POSITIVE_INFINITY
  if (!writeBatch(book)) arm(book, RETRY_MS)
  else if (book.queue.length > 0) arm(book, 0)
}

/** False when it has to be tried again later. */
function writeBatch(book: Book): boolean {
  const log = book.handle.current()
  if (log === undefined) return false
  const batch = book.queue.slice(0, MAX_BATCH_ROWS)
  let done = 0
  try {
    if (isHeldUp(log)) {
      drop(book, batch)
      done = batch.length
      return true
    }
    writeIsolated(numbered(book, batch), {
      write: log.writeEntries,
      isEnvironment,
      stored: entries => {
        done += entries.length
        noteStored(book, entries)
      },
      refused: (entry, reason) => {
        bury(book, log, { entry, reason })
        done += 1
      },
    })
    book.writtenAtMs = book.clock()
    book.isDropping = false
    return true
  } catch (error) {
    book.handle.failed(error)
    return false
  } finally {
    book.queue = book.queue.slice(done)
    book.wrote()
  }
}

function noteStored(book: Book, entries: readonly LogEntry[]): void {
  for (const { request } of entries) book.cells.add({ ...request, endedAtMs: timeOf(request.id) })
  book.lastId = Math.max(book.lastId, entries.at(-1)?.request.id ?? 0)
}

function numbered({ lastId }: Book, outcomes: readonly Outcome[]): readonly LogEntry[] {
  let id = lastId
  return outcomes.map(outcome => {
    id = Math.max(id + 1, endOf(outcome) * IDS_A_MS)
    return entryOf(outcome, id)
  })
}

function drop(book: Book, outcomes: readonly Outcome[]): void {
  for (const outcome of outcomes) {
    book.cells.add({ ...entryOf(outcome, 0).request, endedAtMs: endOf(outcome) })
  }
  book.dropped += outcomes.length
  if (!book.isDropping) book.warn({}, "requests cannot be written to log.db in time: they are counted without a row")
  book.isDropping = true
}

function bury(book: Book, log: LogStore, { entry, reason }: { entry: LogEntry; reason: unknown }): void {
  const text = reason instanceof Error ? reason.message : String(reason)
  log.bury({ atMs: book.clock(), reason: text, entryJson: JSON.stringify(entry) })
  book.refused += 1
  book.warn({ id: entry.request.requestId, reason: text }, "a request could not be written to log.db")
}
