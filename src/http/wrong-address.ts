/** What is said to a request for which there is no route. */

import { GatewayError } from "#core/errors.ts"

/** A route as the framework lists it. */
export type KnownRoute = { readonly method: string; readonly path: string }

/** A refusal, and the methods that the address knows, for the `Allow` header; blank = the address is not known. */
export type WrongAddress = { readonly error: GatewayError; readonly allow: string }

/** Makes the function that tells an unknown address from a wrong method. Addresses with parameters are not looked into. */
export function makeWrongAddress(routes: Iterable<KnownRoute>): (request: Request) => WrongAddress {
  const methods = new Map<string, string[]>()
  // Where only HEAD is known, somebody asks whether anyone is there; nothing can be got at that address.
  for (const { method, path } of routes) {
    if (method !== "HEAD") methods.set(path, [...(methods.get(path) ?? []), method])
  }
  return request => {
    const known = methods.get(new URL(request.url).pathname) ?? []
    if (known.length === 0) {
      const error = new GatewayError("not-found", "There is nothing at this address.", { code: "unknown_url" })
      return { error, allow: "" }
    }
    const allow = [...known, "OPTIONS"].join(", ")
    return {
      error: new GatewayError("method-not-allowed", `${request.method} is not served here; use ${allow}.`),
      allow,
    }
  }
}
