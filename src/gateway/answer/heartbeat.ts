/** One timer for all open streams: keep-alives, silent upstreams and clients that stopped reading. */

import type { Clock, Timers } from "#core/clock.ts"

/** Called about once a second with the time in milliseconds. */
export type Beat = (nowMs: number) => void

/** The shared ticker. */
export type Heartbeat = {
  /** Adds a listener; the returned function removes it. */
  readonly add: (beat: Beat) => () => void
  readonly size: () => number
  readonly stop: () => void
}

const TICK_MS = 1_000

/** Starts the ticker. A timer a stream, or a timer an event, would cost more than the streams themselves. */
export function makeHeartbeat(parts: { readonly clock: Clock; readonly timers: Timers }): Heartbeat {
  const beats = new Set<Beat>()
  const cancel = parts.timers.every(TICK_MS, () => {
    const nowMs = parts.clock()
    for (const beat of beats) beat(nowMs)
  })
  return {
    add: beat => {
      beats.add(beat)
      return () => {
        beats.delete(beat)
      }
    },
    size: () => beats.size,
    stop: () => {
      cancel()
      beats.clear()
    },
  }
}
