/** Reads what goes wrong while an answer's body is read. */

import { GatewayError, toGatewayError } from "#core/errors.ts"
import { readTransportError } from "#transport/transport-error.ts"

/** Returns the reason of our own abort, the transport's fault, or the error itself when it is a bug. */
export function readBodyError(cause: unknown, signal: AbortSignal): GatewayError {
  if (signal.aborted) return abortReason(signal)
  const fromRuntime = cause instanceof TypeError || (cause instanceof Error && "code" in cause)
  if (cause instanceof GatewayError || !fromRuntime) return toGatewayError(cause)
  return readTransportError(cause, { phase: "body", proxied: false, client: signal })
}

/** The error a signal was aborted with; a plain abort is the client's. */
export function abortReason(signal: AbortSignal): GatewayError {
  if (signal.reason instanceof GatewayError) return signal.reason
  return new GatewayError("cancelled", "The client went away.")
}
