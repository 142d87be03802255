/** A clock and timers that move only when a test says so. */

import type { Clock, Timers } from "#core/clock.ts"

/** The parts to inject and the handles to drive them. */
export type ManualTime = {
  readonly clock: Clock
  readonly timers: Timers
  /** Moves the clock on by `ms`, firing every timer that falls due on the way, in order. Promises do not settle between. */
  readonly advance: (ms: number) => void
  /** Like `advance`, but lets pending promises and I/O callbacks run before the first and after every timer. */
  readonly advanceAsync: (ms: number) => Promise<void>
  /** Delays in milliseconds until each waiting timer fires, ascending. */
  readonly waiting: () => readonly number[]
}

type WaitingTimer = { dueMs: number; readonly everyMs: number | undefined; readonly run: () => void }

/** Runs of the event loop that are granted after each timer; enough for chains of promises and local file I/O. */
const TURNS = 5

async function letOthersRun(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise<void>(resolve => setImmediate(resolve))
}

/** Makes a manual clock that starts at `startMs` (milliseconds since the epoch). */
export function makeManualTime(startMs = 1_800_000_000_000): ManualTime {
  let nowMs = startMs
  const waiting = new Set<WaitingTimer>()

  const add = (timer: WaitingTimer) => {
    waiting.add(timer)
    return () => {
      waiting.delete(timer)
    }
  }
  const earliestUntil = (endMs: number): WaitingTimer | undefined => {
    let earliest: WaitingTimer | undefined
    for (const timer of waiting) if (timer.dueMs < (earliest?.dueMs ?? Number.POSITIVE_INFINITY)) earliest = timer
    return earliest !== undefined && earliest.dueMs <= endMs ? earliest : undefined
  }
  const fire = (timer: WaitingTimer): void => {
    nowMs = Math.max(nowMs, timer.dueMs)
    if (timer.everyMs === undefined) waiting.delete(timer)
    else timer.dueMs += timer.everyMs
    timer.run()
  }

  return {
    clock: () => nowMs,
    timers: {
      after: (delayMs, run) => add({ dueMs: nowMs + Math.max(0, delayMs), everyMs: undefined, run }),
      every: (intervalMs, run) => add({ dueMs: nowMs + intervalMs, everyMs: Math.max(1, intervalMs), run }),
    },
    advance: ms => {
      const endMs = nowMs + ms
      for (let next = earliestUntil(endMs); next !== undefined; next = earliestUntil(endMs)) fire(next)
      nowMs = endMs
    },
    advanceAsync: async ms => {
      const endMs = nowMs + ms
      await letOthersRun()
      for (let next = earliestUntil(endMs); next !== undefined; next = earliestUntil(endMs)) {
        fire(next)
        await letOthersRun()
      }
      nowMs = endMs
    },
    waiting: () => [...waiting].map(timer => timer.dueMs - nowMs).sort((left, right) => left - right),
  }
}
