/** Waiting that Ctrl-C ends. */

import { GatewayError } from "#core/errors.ts"

/** Like `waiting`, but rejects with `cancelled` once the signal aborts. A read cannot be called off; it is left behind. */
export async function orCancelled<T>(waiting: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(new GatewayError("cancelled", "Cancelled."))
  signal.addEventListener("abort", onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([waiting, promise])
  } finally {
    signal.removeEventListener("abort", onAbort)
  }
}
