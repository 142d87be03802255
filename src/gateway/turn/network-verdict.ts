/** Judges an attempt that failed on the way: nothing the upstream said, only what the network did. */

import type { Verdict } from "#core/outcome.ts"
import { transportFaultOf } from "#transport/transport-error.ts"

import { readBodyError } from "./body-error.ts"

/** A way out that is down: other accounts may have another one. */
const EGRESS_REST_MS = 10_000

/** A failure of the way, not of the account: try once more on the same one, then elsewhere. */
export function networkVerdict(cause: unknown, signal: AbortSignal): Verdict {
  const error = readBodyError(cause, signal)
  if (error.kind === "cancelled" || error.kind === "timeout" || error.kind === "internal") {
    return { error, effect: { type: "none" }, next: "stop" }
  }
  if (transportFaultOf(error)?.egressAtFault) {
    const effect = { type: "block", scope: { type: "egress" }, cause: "proxy", forMs: EGRESS_REST_MS } as const
    return { error, effect, next: "other-account" }
  }
  return { error, effect: { type: "none" }, next: "same-account", delayMs: 200 }
}

/** An upstream that breaks off after thinking this long would do so on every other account as well. */
const LONG_SILENCE_MS = 60_000

/** Ends the tries after a break that came late: two more accounts would only think and break off again. */
export function afterSilence(verdict: Verdict, silentMs: number): Verdict {
  const isBreak = verdict.error.kind === "upstream-protocol"
  return isBreak && silentMs >= LONG_SILENCE_MS ? { ...verdict, next: "stop" } : verdict
}
