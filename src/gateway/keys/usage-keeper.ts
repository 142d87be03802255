/** Writes down what keys have used, at most a second after it happened; many requests share one write. */

import type { Clock, Timers } from "#core/clock.ts"
import type { ClientKeyRows, KeyCounterRow, KeyUseRow } from "#store/client-keys.ts"

import { calendarDayOf } from "./calendar-day.ts"
import { RING_SHAPES } from "./key-meter.ts"
import type { KeyEntry } from "./key-ring.ts"

/** The keeper. */
export type UsageKeeper = {
  /** The key was used, or what it has used has changed. */
  readonly changed: (entry: KeyEntry) => void
  /** The key is gone, or was set back. */
  readonly forget: (id: string) => void
  /** Writes what is not written yet, and nothing more until `wake`. Throws what the store throws. */
  readonly rest: () => void
  readonly wake: () => void
  /** Writes what is not written yet and ends. Throws what the store throws. */
  readonly close: () => void
}

/** What the keeper is made of. */
export type UsageKeeperParts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly rows: Pick<ClientKeyRows, "saveKeyUsage" | "deleteOldKeyCounters">
  /** Told of writes that fail; they are tried again. */
  readonly reportFailure: (name: string, cause: unknown) => void
}

/** What a crash may lose. */
const WRITE_MS = 1_000
const TIDY_MS = 60 * 60_000

/** Makes the keeper. */
export function makeUsageKeeper(parts: UsageKeeperParts): UsageKeeper {
  const { rows, timers, clock } = parts
  const dirty = new Set<KeyEntry>()
  /** Rows by their place; a store that was busy gets them again, as they are by then. */
  const counters = new Map<string, KeyCounterRow>()
  const uses = new Map<string, KeyUseRow>()
  let cancelTimer: (() => void) | undefined
  let tidyAtMs = Number.NEGATIVE_INFINITY
  let isResting = false

  function collect(): void {
    for (const { key, meter } of dirty) {
      for (const row of meter.takeChanged()) {
        counters.set(`${key.id} ${row.grain} ${row.bucket}`, { keyId: key.id, ...row })
      }
      const [firstUsedAtMs, lastUsedAtMs] = [meter.firstUsedAtMs(), meter.lastUsedAtMs()]
      if (firstUsedAtMs === undefined || lastUsedAtMs === undefined) continue
      uses.set(key.id, { keyId: key.id, firstUsedAtMs, lastUsedAtMs })
    }
    dirty.clear()
  }

  function write(): void {
    collect()
    if (counters.size + uses.size === 0) return
    rows.saveKeyUsage([...uses.values()], [...counters.values()])
    counters.clear()
    uses.clear()
    tidy()
  }

  function tidy(): void {
    const nowMs = clock()
    if (nowMs < tidyAtMs) return
    tidyAtMs = nowMs + TIDY_MS
    for (const [grain, { bucketMs, buckets }] of Object.entries(RING_SHAPES)) {
      rows.deleteOldKeyCounters(grain, Math.floor(nowMs / bucketMs) - buckets)
    }
    rows.deleteOldKeyCounters("date", calendarDayOf(nowMs).bucket)
  }

  function flush(): void {
    cancelTimer = undefined
    try {
      write()
    } catch (cause) {
      // Memory has it all and goes on counting; the disk may be full or busy for a while only.
      parts.reportFailure("storing what client keys have used", cause)
      writeSoon()
    }
  }

  function writeSoon(): void {
    if (!isResting) cancelTimer ??= timers.after(WRITE_MS, flush)
  }

  return {
    changed: entry => {
      dirty.add(entry)
      writeSoon()
    },
    forget: id => {
      uses.delete(id)
      for (const [place, row] of counters) if (row.keyId === id) counters.delete(place)
      for (const entry of dirty) if (entry.key.id === id) dirty.delete(entry)
    },
    rest: () => {
      cancelTimer?.()
      cancelTimer = undefined
      write()
      isResting = true
    },
    wake: () => {
      isResting = false
      writeSoon()
    },
    close: () => {
      cancelTimer?.()
      cancelTimer = undefined
      if (!isResting) write()
    },
  }
}
