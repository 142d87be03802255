/** The listening server: one Elysia application on Bun's HTTP server. */

import { Elysia } from "elysia"

import { GatewayError } from "#core/errors.ts"
import type { Gateway } from "#gateway/gateway.ts"

import type { AdminParts } from "./admin/admin-route.ts"
import { hasKnownKey } from "./admission.ts"
import { anthropicRoutes } from "./api/anthropic.ts"
import { geminiRoutes } from "./api/gemini.ts"
import { openaiRoutes } from "./api/openai.ts"
import { operationRoutes } from "./api/operations.ts"
import { preflight, withCrossOrigin } from "./cross-origin.ts"
import { dialectAt } from "./dialect-of.ts"
import { errorResponse } from "./errors.ts"
import { operatorRoutes } from "./operators.ts"
import { newRequestId, type ServeParts } from "./serve-model.ts"
import { makeWrongAddress } from "./wrong-address.ts"

/** Where to listen. Port 0 takes a free one. */
export type ListenAddress = { readonly host: string; readonly port: number }

/** A running server. */
export type RunningServer = {
  readonly url: URL
  /** Stops accepting, waits for running answers up to `graceMs`, then closes what is left. */
  readonly stop: (graceMs: number) => Promise<void>
}

/** Builds the application; `fetch` can be called without a socket. */
function makeApplication(gateway: Gateway, parts: ServeParts, peerOf: (request: Request) => string | undefined) {
  const admin: AdminParts = {
    ...parts.admin,
    desk: gateway.desk,
    timers: parts.timers,
    peerOf,
    hasClientKey: (request, url) => hasKnownKey(parts.admission(), request, url),
  }
  // Without `standardHostname: false` the router cuts the path at a fixed offset and misses it for short host names.
  const application = new Elysia({ handler: { standardHostname: false } })
    .onError(({ code, error, request }) => {
      const wrong = code === "NOT_FOUND" ? wrongAddress(request) : undefined
      const response = errorResponse(wrong?.error ?? error, dialectAt(request), newRequestId(parts))
      if (wrong !== undefined && wrong.allow !== "") response.headers.set("allow", wrong.allow)
      return response
    })
    .use(openaiRoutes(gateway, parts))
    .use(anthropicRoutes(gateway, parts))
    .use(geminiRoutes(gateway, parts))
    .use(operationRoutes(gateway, parts))
    .use(operatorRoutes(admin, parts.clock))
    .options("/*", preflight)
  const wrongAddress = makeWrongAddress(application.routes)
  return application
}

/** Starts listening. Throws `invalid-request` with the reason when the address cannot be taken. */
export function startServer(address: ListenAddress, gateway: Gateway, parts: ServeParts): RunningServer {
  const peerOf = (request: Request) => server.requestIP(request)?.address
  const application = makeApplication(gateway, parts, peerOf).compile()
  const server: ReturnType<typeof listen> = listen(address, async request =>
    withCrossOrigin(request, await application.fetch(request), parts.admission()),
  )
  return {
    url: server.url,
    stop: async graceMs => {
      const drained = server.stop()
      const late = new Promise<"late">(resolve => {
        parts.timers.after(graceMs, () => resolve("late"))
      })
      if ((await Promise.race([drained, late])) === "late") await endRunning(gateway, parts)
      await server.stop(true)
    },
  }
}

/** Time for the last words of answers that are cut by the shutdown. */
const LAST_WORDS_MS = 300

/** The gateway ends what is left itself, so that clients are told and the log does not blame them. */
async function endRunning(gateway: Gateway, { timers }: ServeParts): Promise<void> {
  gateway.abortRunning(
    new GatewayError("no-account", "The gateway is stopping.", { code: "gateway_stopping", retryAfterMs: 1_000 }),
  )
  await new Promise<void>(resolve => {
    timers.after(LAST_WORDS_MS, resolve)
  })
}

/** How long a client may take to send the head of its first request. */
const HEAD_TIMEOUT_SEC = 10

function listen(address: ListenAddress, fetch: (request: Request) => Response | Promise<Response>) {
  try {
    return Bun.serve({
      hostname: address.host,
      port: address.port,
      // For connections that do not get as far as a whole request head.
      idleTimeout: HEAD_TIMEOUT_SEC,
      // Bodies are measured by us, so that the refusal speaks the client's dialect.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      development: false,
      // Outside of development Bun shares a port with whoever else has it, and the kernel deals out the connections.
      reusePort: false,
      fetch: (request, server) => {
        // From here on bodies and streams have their own watchdogs: an answer may be silent for minutes.
        server.timeout(request, 0)
        return fetch(request)
      },
    })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "unknown reason"
    throw new GatewayError("invalid-request", `Cannot listen on ${address.host}:${address.port}: ${reason}`, {
      hint: "Another program may use the port: stop it, or choose another one with --listen.",
      cause,
    })
  }
}
