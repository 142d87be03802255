/** Errors of the catalogue as plain data, for a border that errors do not cross in one piece. */

import { type ErrorKind, GatewayError, type GatewayErrorOptions, toGatewayError } from "#core/errors.ts"
import { TransportFault, transportFaultOf } from "#transport/transport-error.ts"

/** Everything that is read of a `GatewayError`; of its causes only the transport's own. */
export type FrozenError = Omit<GatewayErrorOptions, "cause"> & {
  readonly kind: ErrorKind
  readonly message: string
  readonly fault?: Pick<TransportFault, "phase" | "egressAtFault" | "code">
}

/** Freezes an error; one that is not of the catalogue becomes `internal`. */
export function freezeError(cause: unknown): FrozenError {
  const error = toGatewayError(cause)
  const { kind, message, code, param, retryAfterMs, hint, upstream, window } = error
  const fault = transportFaultOf(error)
  return {
    kind,
    message,
    ...(code !== undefined && { code }),
    ...(param !== undefined && { param }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(hint !== undefined && { hint }),
    ...(upstream !== undefined && { upstream }),
    ...(window !== undefined && { window }),
    ...(fault !== undefined && {
      fault: { phase: fault.phase, egressAtFault: fault.egressAtFault, code: fault.code },
    }),
  }
}

/** The error again. */
export function thawError({ kind, message, fault, ...options }: FrozenError): GatewayError {
  const cause = fault === undefined ? undefined : new TransportFault(fault, undefined)
  return new GatewayError(kind, message, { ...options, ...(cause !== undefined && { cause }) })
}
