/** Makes routes callable, with failures and unknown addresses in the dialect of whoever asks. */

import { type AnyElysia, Elysia } from "elysia"

import type { ProtocolId } from "#core/ids.ts"

import { errorResponse } from "./errors.ts"
import { newRequestId, type ServeParts } from "./serve-model.ts"
import { makeWrongAddress } from "./wrong-address.ts"

/** Whose words failures are told in. */
export type RouteErrors = {
  readonly dialectOf: (request: Request) => ProtocolId
  readonly ids: Pick<ServeParts, "clock" | "random">
}

/** Compiles what `add` puts on an application; the function can be called without a socket. */
export function compileRoutes(
  { dialectOf, ids }: RouteErrors,
  add: (application: AnyElysia) => AnyElysia,
): (request: Request) => Promise<Response> {
  // Without `standardHostname: false` the router cuts the path at a fixed offset and misses it for short host names.
  const bare = new Elysia({ handler: { standardHostname: false } }).onError(({ code, error, request }) => {
    const wrong = code === "NOT_FOUND" ? wrongAddress(request) : undefined
    const response = errorResponse(wrong?.error ?? error, dialectOf(request), newRequestId(ids))
    if (wrong !== undefined && wrong.allow !== "") response.headers.set("allow", wrong.allow)
    return response
  })
  const application = add(bare)
  const wrongAddress = makeWrongAddress(application.routes)
  application.compile()
  return async request => application.fetch(request)
}
