/** Failures of the operators' surface: unlike clients, operators are told what to do next. */

import { type GatewayError, toGatewayError } from "#core/errors.ts"

/** `{error: {message, kind, code, hint}}`; absent members are null. */
export function adminErrorBody(error: GatewayError): object {
  const { message, kind, code = null, hint = null } = error
  return { error: { message, kind, code, hint } }
}

/** Turns any failure into an answer. Anything that is not a `GatewayError` becomes `internal`. */
export function adminErrorResponse(cause: unknown): Response {
  const error = toGatewayError(cause)
  return Response.json(adminErrorBody(error), { status: error.kind === "cancelled" ? 503 : error.status })
}
