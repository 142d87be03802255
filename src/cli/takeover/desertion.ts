/** How long a replaced process keeps its ports: until its clients have gone over to the next one. */

import type { Clock, Timers } from "#core/clock.ts"

/** What it is told by. */
export type DesertionParts = {
  readonly clock: Clock
  readonly timers: Timers
  /** When a request last came in over a connection that this process still has, milliseconds since the epoch. */
  readonly lastRequestAtMs: () => number
  readonly graceMs: number
  /** The next process has ended: the ports are in the way of whatever starts now. */
  readonly isAlone: () => boolean
}

/**
 * A connection that has not been used for so long is closed without a word, as any server does. Until then it is answered, because
 * a client may be sending while its connection is closed, and a request that was sent is not sent again by everybody.
 */
const QUIET_MS = 2_000
const LOOK_MS = 100

/** Resolves when nothing is being answered and nothing has come in for a while, when nobody has taken over any more, or after `graceMs`. */
export async function untilDeserted(
  server: { readonly pending: () => number },
  { clock, timers, lastRequestAtMs, graceMs, isAlone }: DesertionParts,
): Promise<void> {
  const startedAtMs = clock()
  let quietSinceMs = startedAtMs
  while (clock() - startedAtMs < graceMs && !isAlone()) {
    if (server.pending() > 0) quietSinceMs = clock()
    if (clock() - Math.max(quietSinceMs, lastRequestAtMs()) >= QUIET_MS) return
    await new Promise<void>(resolve => void timers.after(LOOK_MS, resolve))
  }
}
