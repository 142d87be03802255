/** Lets old rows go, a thousand at a time with pauses, so that no request waits for it. */

import type { Clock, Timers } from "#core/clock.ts"
import type { LogStore } from "#store/log/log-store.ts"

import { IDS_A_MS } from "./entry.ts"
import { GRAINS } from "./grains.ts"
import { isEnvironment } from "./log-handle.ts"

/** For how many days each kind of row is kept. */
export type KeepDays = { readonly requests: number; readonly details: number; readonly events: number }

/** What pruning needs. */
export type PruneParts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly log: () => LogStore | undefined
  readonly keepDays: () => KeepDays
}

const CHUNK_ROWS = 1_000
const PAUSE_MS = 50
/** 4 MiB a piece. */
const SHRINK_PAGES = 1_000
const DAY_MS = 86_400_000

/** Begins; the returned function ends it. */
export function pruneLog(intervalMs: number, parts: PruneParts): () => void {
  const { timers } = parts
  let cancelNext = () => {}
  const step = (): void => {
    if (pruneChunk(parts)) cancelNext = timers.after(PAUSE_MS, step)
  }
  const cancel = timers.every(intervalMs, () => {
    cancelNext()
    step()
  })
  return () => {
    cancel()
    cancelNext()
  }
}

/** Deletes one piece. Returns false when nothing is left that has to go. */
function pruneChunk(parts: PruneParts): boolean {
  const log = parts.log()
  if (log === undefined) return false
  try {
    return deleteSome(log, parts)
  } catch (error) {
    // A lock or a full disk: the next round begins where this one ended.
    if (isEnvironment(error)) return false
    throw error
  }
}

function deleteSome(log: LogStore, { clock, keepDays }: PruneParts): boolean {
  const nowMs = clock()
  const { requests, details, events } = keepDays()
  // Rows that are not in the sums yet stay.
  const requestsId = Math.min((nowMs - requests * DAY_MS) * IDS_A_MS, log.readWatermark() + 1)
  const detailsId = (nowMs - Math.min(details, requests) * DAY_MS) * IDS_A_MS
  const eventsMs = nowMs - events * DAY_MS
  const pieces = [
    () => log.deleteRequestsBefore(requestsId, CHUNK_ROWS),
    () => log.deleteDetailsBefore(detailsId, CHUNK_ROWS),
    () => log.deleteEventsBefore(eventsMs, CHUNK_ROWS),
    () => log.deleteReadingsBefore(eventsMs, CHUNK_ROWS),
    () => log.deleteDeadLettersBefore(eventsMs, CHUNK_ROWS),
    ...GRAINS.map(kind => () => (kind.keepMs === undefined ? 0 : log.deleteRolls(kind, nowMs - kind.keepMs))),
  ]
  for (const deletePiece of pieces) if (deletePiece() > 0) return true
  log.shrink(SHRINK_PAGES)
  return false
}
