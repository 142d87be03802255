/** The one place where a failure becomes an HTTP answer in the client's dialect. */

import { type GatewayError, toGatewayError } from "#core/errors.ts"
import type { ProtocolId, RequestId } from "#core/ids.ts"
import { clientProtocols } from "#protocols/registry.ts"

/** Encodes `cause` for a client of `protocol`. Anything that is not a `GatewayError` becomes `internal`. */
export function errorResponse(cause: unknown, protocol: ProtocolId, requestId: RequestId): Response {
  const error = toGatewayError(cause)
  const reply = clientProtocols[protocol].encodeError(error, requestId)
  return new Response(reply.body, {
    status: bodyStatus(error, reply.status),
    // The rest of the body may still come or never: the connection is of no further use (RFC 9110 section 15.5.9).
    headers: error.kind === "request-timeout" ? { ...reply.headers, connection: "close" } : reply.headers,
  })
}

/** 499 is a log's word; a client that is still there gets a status that exists. */
function bodyStatus(error: GatewayError, status: number): number {
  return error.kind === "cancelled" ? 503 : status
}
