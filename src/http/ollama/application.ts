/** What Ollama's port serves: its own routes, and under `/v1` those of the gateway, all behind one fence. */

import { GatewayError } from "#core/errors.ts"
import type { Gateway } from "#gateway/gateway.ts"
import { anthropicRoutes } from "#http/api/anthropic.ts"
import { type OllamaFacts, ollamaRoutes } from "#http/api/ollama.ts"
import { openaiRoutes } from "#http/api/openai.ts"
import { compileRoutes } from "#http/compile-routes.ts"
import { dialectAt } from "#http/dialect-of.ts"
import { errorResponse } from "#http/errors.ts"
import { newRequestId, type ServeParts } from "#http/serve-model.ts"

import { preflight, withOrigin } from "./cross-origin.ts"
import { checkFence } from "./fence.ts"
import { PORT_ADMISSION } from "./port-admission.ts"

/** Answers one request. */
export type Serve = (request: Request) => Promise<Response>

/** What is said of this machine, and which further pages may come in; read at each request. */
export type OllamaApplicationFacts = () => ReturnType<OllamaFacts> & { readonly origins: readonly string[] }

/** Builds the application. */
export function makeOllamaApplication(
  gateway: Gateway,
  outer: Omit<ServeParts, "peerOf">,
  facts: OllamaApplicationFacts,
): Serve {
  // Everybody is admitted as the same client, wherever the connection comes from.
  const parts: ServeParts = { ...outer, admission: () => PORT_ADMISSION, peerOf: () => undefined }
  const serveOwn = compileRoutes({ dialectOf: () => "ollama", ids: parts }, application =>
    application.use(ollamaRoutes(gateway, parts, facts)),
  )
  const serveShared = compileRoutes({ dialectOf: dialectAt, ids: parts }, application =>
    application.use(openaiRoutes(gateway, parts)).use(anthropicRoutes(gateway, parts)),
  )
  return async request => {
    const verdict = checkFence(request, facts().origins)
    if (verdict.type === "refused") {
      const refusal = new GatewayError("forbidden", verdict.reason, { code: "foreign_origin" })
      return withOrigin(errorResponse(refusal, "ollama", newRequestId(parts)), undefined)
    }
    if (request.method === "OPTIONS") return withOrigin(preflight(), verdict.origin)
    const addressed = withHost(request)
    const isShared = new URL(addressed.url).pathname.startsWith("/v1/")
    return withOrigin(await (isShared ? serveShared : serveOwn)(addressed), verdict.origin)
  }
}

/** Old clients name no host; the address of such a request is no more than a path, which routers do not take. */
function withHost(request: Request): Request {
  return request.url.startsWith("/") ? new Request(`http://localhost${request.url}`, request) : request
}
