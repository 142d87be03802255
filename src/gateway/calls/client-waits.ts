/** A turn and its client: when the one ends with the other, and how long the other waits for the one. */

import type { Timers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"

/** The client's departure ends the upstream request; the reason tells it apart from our own deadlines. */
export function linkAbort(client: AbortSignal, abort: AbortController): void {
  // A reason of the catalogue is not the client's: the thread that carried it has ended.
  const end = () => abort.abort(client.reason instanceof GatewayError ? client.reason : undefined)
  if (client.aborted) end()
  else client.addEventListener("abort", end, { once: true })
}

/** Resolves with the value when it is there in time, with undefined when it is late; rejects when it fails in time. */
export async function settledWithin<Value>(
  pending: Promise<Value>,
  withinMs: number,
  timers: Timers,
): Promise<Value | undefined> {
  let cancelTimer = () => {}
  const late = new Promise<undefined>(resolve => {
    cancelTimer = timers.after(withinMs, () => resolve(undefined))
  })
  try {
    return await Promise.race([pending, late])
  } finally {
    cancelTimer()
  }
}
