/** A clock that jumps from timer to timer, for long spans of simulated time: a day of a busy gateway is millions of timers. */

import type { Clock, Timers } from "#core/clock.ts"

/** The parts to inject, and the handle to drive them. */
export type VirtualTime = {
  readonly clock: Clock
  readonly timers: Timers
  /** Fires every timer until `endMs` in order of its time, letting all promises settle after each; ends with the clock there. */
  readonly runUntil: (endMs: number) => Promise<void>
  /** Timers that are set. */
  readonly waiting: () => number
}

type Entry = { dueMs: number; order: number; readonly everyMs: number | undefined; run: (() => void) | undefined }

/** Makes time that begins at `startMs`, milliseconds since the epoch. */
export function makeVirtualTime(startMs: number): VirtualTime {
  const heap: Entry[] = []
  let nowMs = startMs
  let count = 0
  let waiting = 0

  function add(delayMs: number, everyMs: number | undefined, run: () => void): () => void {
    const entry: Entry = { dueMs: nowMs + Math.max(0, delayMs), order: count++, everyMs, run }
    push(heap, entry)
    waiting += 1
    return () => {
      if (entry.run === undefined) return
      // It stays in the heap until its time comes: taking it out of the middle would cost more.
      entry.run = undefined
      waiting -= 1
    }
  }

  function fire(entry: Entry): void {
    const { run, everyMs } = entry
    nowMs = Math.max(nowMs, entry.dueMs)
    if (run === undefined) return
    if (everyMs === undefined) {
      entry.run = undefined
      waiting -= 1
    } else {
      entry.dueMs += everyMs
      entry.order = count++
      push(heap, entry)
    }
    run()
  }

  return {
    clock: () => nowMs,
    timers: {
      after: (delayMs, run) => add(delayMs, undefined, run),
      every: (intervalMs, run) => add(intervalMs, Math.max(1, intervalMs), run),
    },
    runUntil: async endMs => {
      await settle()
      for (let first = heap[0]; first !== undefined && first.dueMs <= endMs; first = heap[0]) {
        const entry = pop(heap)
        if (entry?.run === undefined) continue
        fire(entry)
        await settle()
      }
      nowMs = Math.max(nowMs, endMs)
    },
    waiting: () => waiting,
  }
}

/** Nothing here waits for the machine, so one turn of the event loop lets every chain of promises come to rest. */
function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

function isBefore(left: Entry, right: Entry): boolean {
  return left.dueMs < right.dueMs || (left.dueMs === right.dueMs && left.order < right.order)
}

function push(heap: Entry[], entry: Entry): void {
  let place = heap.length
  heap.push(entry)
  while (place > 0) {
    const above = (place - 1) >> 1
    const parent = heap[above]
    if (parent === undefined || isBefore(parent, entry)) break
    heap[place] = parent
    place = above
  }
  heap[place] = entry
}

function pop(heap: Entry[]): Entry | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return first
  let place = 0
  for (let below = 1; below < heap.length; below = 2 * place + 1) {
    const left = heap[below]
    const right = heap[below + 1]
    const isRight = left !== undefined && right !== undefined && isBefore(right, left)
    const child = isRight ? right : left
    if (child === undefined || !isBefore(child, last)) break
    heap[place] = child
    place = isRight ? below + 1 : below
  }
  heap[place] = last
  return first
}
