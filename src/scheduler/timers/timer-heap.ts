/** Any number of deadlines on one timer. */

import type { CancelTimer, Clock, Timers } from "#core/clock.ts"

import { clearDeadline, deadlineOf, firstHandle, makeDeadlineHeap, setDeadline } from "./deadline-heap.ts"

/** Longest delay the runtime keeps; a longer one would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1

/** Deadlines by small integer handles. */
export type TimerHeap = {
  /** Returns a handle whose deadline runs `run`; nothing is armed yet. */
  readonly add: (run: () => void) => number
  /** Sets or moves the deadline, milliseconds since the epoch. */
  readonly set: (handle: number, atMs: number) => void
  /** Takes the deadline away; harmless without one. */
  readonly clear: (handle: number) => void
  /** Gives the handle back; it must not be used again. */
  readonly remove: (handle: number) => void
  /** Deadlines that are set. */
  readonly size: () => number
}

/** Makes a heap. A deadline that fires is cleared before its `run`, which may set it again. */
export function makeTimerHeap(parts: { readonly clock: Clock; readonly timers: Timers }): TimerHeap {
  const state = makeDeadlineHeap()
  const runs: (() => void)[] = []
  const free: number[] = []
  let armedForMs = Number.POSITIVE_INFINITY
  let cancelTimer: CancelTimer | undefined

  function arm(): void {
    const first = firstHandle(state)
    const atMs = first === undefined ? Number.POSITIVE_INFINITY : deadlineOf(state, first)
    // A timer that is armed too early costs one empty run; re-arming for every later deadline would cost more.
    if (atMs >= armedForMs) return
    cancelTimer?.()
    armedForMs = atMs
    cancelTimer = parts.timers.after(Math.min(Math.max(0, atMs - parts.clock()), MAX_DELAY_MS), fire)
  }

  function fire(): void {
    armedForMs = Number.POSITIVE_INFINITY
    cancelTimer = undefined
    const nowMs = parts.clock()
    for (let first = firstHandle(state); first !== undefined; first = firstHandle(state)) {
      if (deadlineOf(state, first) > nowMs) break
      clearDeadline(state, first)
      runs[first]?.()
    }
    arm()
  }

  function clear(handle: number): void {
    clearDeadline(state, handle)
    if (firstHandle(state) !== undefined) return
    // With nothing left to wait for, no timer may stay behind: the next one could be a day away.
    cancelTimer?.()
    cancelTimer = undefined
    armedForMs = Number.POSITIVE_INFINITY
  }

  return {
    add: run => {
      const handle = free.pop() ?? runs.length
      runs[handle] = run
      return handle
    },
    set: (handle, atMs) => {
      setDeadline(state, handle, atMs)
      arm()
    },
    clear,
    remove: handle => {
      clear(handle)
      runs[handle] = () => undefined
      free.push(handle)
    },
    size: () => state.heap.length,
  }
}
