/** The responses of carried requests: the owner's own, and those of lanes that are served here. */

import type { GatewayError } from "#core/errors.ts"
import { replyHeaders } from "#gateway/answer/reply-headers.ts"
import type { LaneOrder } from "#gateway/turn/carrier.ts"
import { addCrossOrigin } from "#http/cross-origin.ts"
import { errorResponse } from "#http/errors.ts"
import { requestIdHeaders } from "#http/request-id-headers.ts"
import { type RequestOrder, readHeaders } from "#relay/messages.ts"

/** A lane, and whether pages of other sites may read its answer. */
export type Lane = { readonly lane: LaneOrder; readonly crossOrigin: boolean }

/** Gives a lane's answer its headers; `upstream` is undefined while no attempt is committed to. */
export function laneResponse(
  { lane, crossOrigin }: Lane,
  body: ReadableStream<Uint8Array> | string,
  upstream: Headers | undefined,
): Response {
  const { stream, context, protocol, exposesQuota } = lane
  const own = replyHeaders({ request: { stream, reply: context.reply } }, upstream, exposesQuota)
  const type = stream ? {} : { "content-type": "application/json" }
  const headers = { ...own, ...type, ...requestIdHeaders(protocol, context.requestId) }
  return shown(new Response(body, { headers }), crossOrigin)
}

/** A lane's failure before anything has gone out, in the client's words. */
export function failedResponse({ lane, crossOrigin }: Lane, error: GatewayError): Response {
  return shown(errorResponse(error, lane.protocol, lane.context.requestId), crossOrigin)
}

/** Lets pages see it, where they may. */
function shown(response: Response, crossOrigin: boolean): Response {
  if (crossOrigin) addCrossOrigin(response)
  return response
}

/** What the owner itself has answered. */
export function ownersResponse({ status, headers, body }: Extract<RequestOrder, { type: "answer" }>): Response {
  return new Response(body, { status, headers: readHeaders(headers) })
}
