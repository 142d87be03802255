/** Makes routes of the operators' surface callable, with its own words for failures. */

import { type AnyElysia, Elysia } from "elysia"

import { GatewayError } from "#core/errors.ts"
import { adminErrorResponse } from "#http/admin-error.ts"

/** Compiles the routes; an address without one is a 404 in the surface's envelope. */
export function compileSurface(routes: AnyElysia): (request: Request) => Promise<Response> {
  // Without `standardHostname: false` the router cuts the path at a fixed offset and misses it for short host names.
  const application = new Elysia({ handler: { standardHostname: false } })
    .onError(({ code, error }) => adminErrorResponse(code === "NOT_FOUND" ? unknownAddress() : error))
    .use(routes)
    .compile()
  return async request => application.fetch(request)
}

function unknownAddress(): GatewayError {
  return new GatewayError("not-found", "There is nothing at this address.", { code: "unknown_url" })
}
