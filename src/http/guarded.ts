/** Routes that need a client key and run no model: admission first, failures in the dialect the caller speaks. */

import type { Principal } from "#core/request.ts"

import { dialectOf } from "./dialect-of.ts"
import { errorResponse } from "./errors.ts"
import { requestIdHeaders } from "./request-id-headers.ts"
import { newRequestId, type ServeParts } from "./serve-model.ts"

/** Admits the request, runs `handle`, and turns any failure into an answer. */
export async function guarded(
  request: Request,
  parts: ServeParts,
  handle: (url: URL, principal: Principal) => Response | Promise<Response>,
): Promise<Response> {
  const url = new URL(request.url)
  const protocol = dialectOf(request)
  const id = newRequestId(parts)
  try {
    const principal = parts.admission().admit(request, url, parts.peerOf)
    const response = await handle(url, principal)
    for (const [name, value] of Object.entries(requestIdHeaders(protocol, id))) response.headers.set(name, value)
    return response
  } catch (cause) {
    return errorResponse(cause, protocol, id)
  }
}
