/** Closes a listening server without cutting off whoever is being answered. */

import type { Timers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { Gateway } from "#gateway/gateway.ts"

/** How long answers may still run, and what is done about those that are late before they are cut. */
export type DrainParts = {
  readonly timers: Timers
  readonly graceMs: number
  readonly onLate?: () => Promise<void>
}

/** Stops accepting, waits for running answers up to `graceMs`, then closes what is left. */
export async function drain(
  server: { readonly stop: (closeActiveConnections?: boolean) => Promise<void> },
  { timers, graceMs, onLate }: DrainParts,
): Promise<void> {
  let cancelTimer = () => {}
  const late = new Promise<"late">(resolve => {
    cancelTimer = timers.after(graceMs, () => resolve("late"))
  })
  const drained = server.stop()
  if ((await Promise.race([drained, late])) === "late") await onLate?.()
  cancelTimer()
  await server.stop(true)
}

/** Time for the last words of answers that are cut by the shutdown. */
const LAST_WORDS_MS = 300

/** The gateway ends what is left itself, so that clients are told and the log does not blame them. */
export async function endRunning(gateway: Pick<Gateway, "abortRunning">, timers: Timers): Promise<void> {
  gateway.abortRunning(
    new GatewayError("no-account", "The gateway is stopping.", { code: "gateway_stopping", retryAfterMs: 1_000 }),
  )
  await new Promise<void>(resolve => {
    timers.after(LAST_WORDS_MS, resolve)
  })
}
