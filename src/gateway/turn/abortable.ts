/** Waiting that ends when the request does. */

import type { Timers } from "#core/clock.ts"

import { abortReason } from "./body-error.ts"

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
