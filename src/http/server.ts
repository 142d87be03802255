/** The listening server: one Elysia application on Bun's HTTP server. */

import type { Gateway } from "#gateway/gateway.ts"

import type { AdminParts } from "./admin/admin-route.ts"
import { hasKnownKey } from "./admission.ts"
import { anthropicRoutes } from "./api/anthropic.ts"
import { geminiRoutes } from "./api/gemini.ts"
import { imageRoutes } from "./api/images.ts"
import { openaiRoutes } from "./api/openai.ts"
import { operationRoutes } from "./api/operations.ts"
import { ownKeyRoutes } from "./api/own-key.ts"
import { compileRoutes } from "./compile-routes.ts"
import { preflight, withCrossOrigin } from "./cross-origin.ts"
import { dialectAt } from "./dialect-of.ts"
import { drain, endRunning } from "./drain.ts"
import { errorResponse } from "./errors.ts"
import { type ListenAddress, listen } from "./listen.ts"
import { operatorRoutes } from "./operators.ts"
import { newRequestId, type ServeParts } from "./serve-model.ts"
import { makeResponsesSockets, type ResponsesSockets } from "./sockets/responses-sockets.ts"

/** A running server. */
export type RunningServer = {
  readonly url: URL
  /** Answers a request that another process of this gateway got; `peer` is whom it got it from. */
  readonly serve: (request: Request, peer: string | undefined) => Promise<Response>
  /** Requests that are being answered. */
  readonly pending: () => number
  /** Stops accepting, waits for running answers up to `graceMs`, then closes what is left. */
  readonly stop: (graceMs: number) => Promise<void>
}

/** Looks at every request first; undefined = it is answered here, by `serve`. */
export type Diversion = (
  request: Request,
  peer: string | undefined,
  serve: (request: Request) => Promise<Response>,
) => Promise<Response> | undefined

/** Builds the application; it can be called without a socket. */
function makeApplication(gateway: Gateway, parts: ServeParts) {
  const { peerOf } = parts
  const admin: AdminParts = {
    ...parts.admin,
    desk: gateway.desk,
    timers: parts.timers,
    peerOf,
    hasClientKey: (request, url) => hasKnownKey(parts.admission(), request, url, peerOf),
  }
  return compileRoutes({ dialectOf: dialectAt, ids: parts }, application =>
    application
      .use(openaiRoutes(gateway, parts))
      .use(anthropicRoutes(gateway, parts))
      .use(geminiRoutes(gateway, parts))
      .use(imageRoutes(gateway, parts))
      .use(operationRoutes(gateway, parts))
      .use(ownKeyRoutes(gateway, parts))
      .use(operatorRoutes(admin, parts.clock))
      .options("/*", preflight),
  )
}

/** A gateway's face, whoever listens. */
export type Surface = {
  readonly serve: (request: Request) => Promise<Response>
  /** As `serve`, unless the request is diverted. */
  readonly first: (request: Request) => Promise<Response>
  readonly sockets: ResponsesSockets
}

/** Builds it. */
export function makeSurface(
  gateway: Gateway,
  parts: ServeParts & { readonly divert?: Diversion | undefined },
): Surface {
  const application = makeApplication(gateway, parts)
  const serve = async (request: Request) => withCrossOrigin(request, await application(request), parts.admission())
  const refuse = (request: Request, cause: unknown) =>
    withCrossOrigin(request, errorResponse(cause, dialectAt(request), newRequestId(parts)), parts.admission())
  return {
    serve,
    first: request =>
      parts.divert?.(request, parts.peerOf(request), serve)?.catch(cause => refuse(request, cause)) ?? serve(request),
    sockets: makeResponsesSockets(gateway, parts, parts.bodyLimits().maxBytes),
  }
}

/** Starts listening. Throws `invalid-request` with the reason when the address cannot be taken. */
export function startServer(
  address: ListenAddress,
  gateway: Gateway,
  parts: Omit<ServeParts, "peerOf"> & { readonly divert?: Diversion },
): RunningServer {
  const passedPeers = new WeakMap<Request, string | undefined>()
  const peerOf = (request: Request) =>
    passedPeers.has(request) ? passedPeers.get(request) : server.requestIP(request)?.address
  const surface = makeSurface(gateway, { ...parts, peerOf })
  const server: ReturnType<typeof listen> = listen(address, surface.first, surface.sockets)
  return {
    url: server.url,
    pending: () => server.pendingRequests,
    serve: (request, peer) => {
      passedPeers.set(request, peer)
      return surface.serve(request)
    },
    stop: graceMs => {
      const drained = drain(server, { timers: parts.timers, graceMs, onLate: () => endRunning(gateway, parts.timers) })
      surface.sockets.finish()
      return drained
    },
  }
}
