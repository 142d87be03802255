/** The border between HTTP and the gateway for model endpoints: request in, response out, every failure in dialect. */

import type { Clock, Timers } from "#core/clock.ts"
import { makeId, type ProtocolId, type RandomBytes, type RequestId } from "#core/ids.ts"
import type { JsonObject } from "#core/json.ts"
import type { ClientCall } from "#core/request.ts"
import type { GatewayAnswer } from "#gateway/answer/answer.ts"
import type { Carrier } from "#gateway/turn/carrier.ts"

import type { AdminParts } from "./admin/admin-route.ts"
import type { Admission, PeerOf } from "./admission.ts"
import { errorResponse } from "./errors.ts"
import { parseJsonBody, readBodyBytes } from "./read-body.ts"
import { requestIdHeaders } from "./request-id-headers.ts"

/** What serving needs. */
export type ServeParts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: RandomBytes
  readonly admission: () => Admission
  readonly peerOf: PeerOf
  /** Who holds the client's connection, where that is another thread. */
  readonly carrierOf?: (request: Request) => Carrier | undefined
  readonly bodyLimits: () => { readonly maxBytes: number; readonly timeoutMs: number }
  /** Reads the body where it may be something else than JSON. */
  readonly readBody?: (bytes: Uint8Array<ArrayBuffer>, request: Request) => JsonObject | Promise<JsonObject>
  /** What the operators' surface needs besides. */
  readonly admin: Pick<AdminParts, "admission" | "bodyTimeoutMs" | "version" | "ollamaStatus">
  /** Told about requests that end before the gateway has seen them. */
  readonly refused: (refusal: RefusedRequest) => void
}

/** A request that was turned away at the door. */
export type RefusedRequest = {
  readonly id: RequestId
  readonly protocol: ProtocolId
  readonly startedAtMs: number
  readonly cause: unknown
}

/** Serves one POST to a model endpoint. */
export async function serveModel(
  request: Request,
  protocol: ProtocolId,
  run: (call: ClientCall, carrier?: Carrier) => Promise<GatewayAnswer>,
  parts: ServeParts,
): Promise<Response> {
  const startedAtMs = parts.clock()
  const id = newRequestId(parts)
  let call: ClientCall
  try {
    const principal = parts.admission().admit(request, new URL(request.url), parts.peerOf)
    const bytes = await readBodyBytes(request, { ...parts.bodyLimits(), timers: parts.timers })
    const json = await (parts.readBody ?? parseJsonBody)(bytes, request)
    call = {
      id,
      protocol,
      json,
      bodyBytes: bytes.byteLength,
      headers: request.headers,
      principal,
      signal: request.signal,
      startedAtMs,
    }
  } catch (cause) {
    parts.refused({ id, protocol, startedAtMs, cause })
    return errorResponse(cause, protocol, id)
  }
  try {
    const answer = await run(call, parts.carrierOf?.(request))
    return new Response(answer.body, {
      status: answer.status,
      headers: { ...answer.headers, ...requestIdHeaders(protocol, id) },
    })
  } catch (cause) {
    // The gateway has settled the request; what is left is to say it in the client's words.
    return errorResponse(cause, protocol, id)
  }
}

/** Milliseconds since the epoch as hex digits, enough until the year 10889. */
const TIME_DIGITS = 12

/** Makes the id of a request. It begins with the time, by which the request log finds it without an index of its own. */
export function newRequestId({ clock, random }: Pick<ServeParts, "clock" | "random">): RequestId {
  const time = clock().toString(16).padStart(TIME_DIGITS, "0")
  // makeId's result is branded here, the only place where request ids are made.
  return makeId(`req_${time}`, random, 6) as RequestId
}
