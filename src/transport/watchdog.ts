/** Notices a stream that has gone silent, with one timer a stream and none an event. */

import type { CancelTimer, Clock, Timers } from "#core/clock.ts"

/** Parts of a watchdog. */
export type WatchdogParts = {
  readonly clock: Clock
  readonly timers: Timers
  /** Longest silence, ms; 0 = never bark. */
  readonly idleTimeoutMs: number
  /** Called once, when a read has been pending for `idleTimeoutMs`. The watchdog has stopped by then. */
  readonly onIdle: () => void
}

/** Watches the reads of one stream. */
export type Watchdog = {
  /** A read begins: from now on silence counts. */
  readonly expect: () => void
  /** Bytes arrived: silence ends, and none is counted until the next {@link Watchdog.expect}. */
  readonly touch: () => void
  readonly stop: () => void
}

/**
 * Makes a watchdog. Only pending reads count: a stream nobody reads is held back by its client, and that is not the
 * other side's silence. The timer is re-armed when it fires too early, so a lively stream costs one clock read a chunk.
 */
export function makeWatchdog(parts: WatchdogParts): Watchdog {
  const { clock, timers, idleTimeoutMs } = parts
  let sinceMs: number | undefined
  let cancelTimer: CancelTimer | undefined
  let stopped = idleTimeoutMs <= 0

  function arm(delayMs: number): void {
    cancelTimer = timers.after(delayMs, check)
  }

  function check(): void {
    cancelTimer = undefined
    if (stopped || sinceMs === undefined) return
    const leftMs = sinceMs + idleTimeoutMs - clock()
    if (leftMs > 0) {
      arm(leftMs)
      return
    }
    stopped = true
    parts.onIdle()
  }

  return {
    expect: () => {
      if (stopped || sinceMs !== undefined) return
      sinceMs = clock()
      if (cancelTimer === undefined) arm(idleTimeoutMs)
    },
    touch: () => {
      sinceMs = undefined
    },
    stop: () => {
      stopped = true
      cancelTimer?.()
      cancelTimer = undefined
    },
  }
}
