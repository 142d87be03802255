/** Judges an attempt that failed on the way: nothing the upstream said, only what the network did. */

import { GatewayError } from "#core/errors.ts"
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

/** How long an attempt was silent before it broke off, and whether its headers had come. */
export type Silence = { readonly forMs: number; readonly replied: boolean }

/** An upstream that breaks off after thinking this long would do so on every other account as well. */
const LONG_SILENCE_MS = 15_000
/** Before the headers a pause may be the edge's, which another try may spare. */
const LONG_WAIT_MS = 60_000

/**
 * Ends the tries after a break that came late: more of them would only think and break off again, one account after the
 * other. It is nobody's fault that is known, and so a timeout.
 */
export function afterSilence(verdict: Verdict, { forMs, replied }: Silence): Verdict {
  const { error } = verdict
  const isBreak = replied ? error.kind === "upstream-protocol" : transportFaultOf(error)?.phase === "headers"
  if (!isBreak || forMs < (replied ? LONG_SILENCE_MS : LONG_WAIT_MS)) return verdict
  const seconds = Math.round(forMs / 1_000)
  const late = new GatewayError("timeout", `The upstream broke off after ${seconds} s of silence.`, {
    code: "upstream_stream_break",
    hint: "Long thinking may be cut on the way: try again, perhaps with less effort.",
    cause: error,
    ...(error.upstream !== undefined && { upstream: error.upstream }),
  })
  return { ...verdict, error: late, next: "stop" }
}
