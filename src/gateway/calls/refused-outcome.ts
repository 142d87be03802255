/** The outcome of a request that was turned away at the door. */

import { toGatewayError } from "#core/errors.ts"
import type { Outcome } from "#core/outcome.ts"

/** Makes the outcome of a request that ended before the gateway saw it. */
export function refusedOutcome(refusal: {
  readonly id: Outcome["id"]
  readonly protocol: Outcome["protocol"]
  readonly startedAtMs: number
  readonly nowMs: number
  readonly cause: unknown
}): Outcome {
  const error = toGatewayError(refusal.cause)
  return {
    id: refusal.id,
    protocol: refusal.protocol,
    lane: "collect",
    model: "",
    keyId: "unknown",
    status: error.status,
    error,
    attempts: 0,
    startedAtMs: refusal.startedAtMs,
    totalMs: refusal.nowMs - refusal.startedAtMs,
  }
}
