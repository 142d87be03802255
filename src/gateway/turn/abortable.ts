/** Waiting that ends when the request does. */

import type { Timers } from "#core/clock.ts"

import { abortReason } from "./body-error.ts"
import type { TurnParts } from "./turn-parts.ts"

/** Settles like `pending`, or rejects with the signal's reason when that comes first; `pending` itself goes on. */
export async function orAborted<Value>(pending: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(abortReason(signal))
  signal.addEventListener("abort", onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([pending, aborted.promise])
  } finally {
    signal.removeEventListener("abort", onAbort)
  }
}

/** Resolves after `delayMs`. */
export function pause(delayMs: number, timers: Timers): Promise<void> {
  return new Promise(resolve => {
    timers.after(delayMs, resolve)
  })
}

/** About as long as somebody else's request on a busy account may take to end. */
const BREATH_MS = 1_000

/** Waits before an account that had too much to do is asked again; rejects with the signal's reason. */
export function breathe(signal: AbortSignal, { timers, random }: Pick<TurnParts, "timers" | "random">): Promise<void> {
  return orAborted(pause(BREATH_MS * (0.75 + random() / 2), timers), signal)
}
