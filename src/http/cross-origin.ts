/** Lets pages of other sites read answers, where a client key and not the browser decides who may ask. */

import type { Admission } from "./admission.ts"

const PREFLIGHT = {
  "access-control-allow-methods": "GET, POST, OPTIONS",
  "access-control-allow-headers": "*, authorization, content-type",
  "access-control-max-age": "600",
}

/** Answers a preflight, which browsers send without the key. Without configured keys no page may go on. */
export function preflight(): Response {
  return new Response(null, { status: 204, headers: PREFLIGHT })
}

/** Adds the one header a browser looks for, when the request came from a page and keys are configured. */
export function withCrossOrigin(request: Request, response: Response, admission: Admission): Response {
  if (isReadableByPages(request, admission)) addCrossOrigin(response)
  return response
}

/** True when the request came from a page that may read the answer. */
export function isReadableByPages(request: Pick<Request, "headers">, admission: Admission): boolean {
  return admission.needsKey() && request.headers.has("origin")
}

/** Adds what a browser looks for. */
export function addCrossOrigin({ headers }: Response): void {
  headers.set("access-control-allow-origin", "*")
  headers.set("access-control-expose-headers", "x-request-id, request-id, retry-after, x-should-retry")
}
