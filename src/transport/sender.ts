/** Sends upstream requests through one way out, with a connection pool of its own. Deadlines come in the signal. */

import type { Clock } from "#core/clock.ts"
import type { GatewayError } from "#core/errors.ts"
import type { SendUpstream, UpstreamReply, UpstreamRequest } from "#core/upstream.ts"

import type { Egress } from "./egress.ts"
import { readTransportError } from "./transport-error.ts"
import { type FetchProxy, openWayOut, type WayOut } from "./way-out.ts"

/** Parts of a sender. */
export type SenderParts = {
  readonly egress: Egress
  readonly clock: Clock
}

/** One way out: sends requests and knows when it last did. */
export type Sender = {
  /**
   * Rejects with the signal's own reason, `cancelled` without one, or `upstream-unavailable`; the cause of the last is a `TransportFault`.
   * Errors while the body is read are the runtime's own: hand them to `readTransportError` with `phase: "body"`.
   */
  readonly send: SendUpstream
  /** What the way out has to be told; opens it if need be. Throws or rejects with `upstream-unavailable`. */
  readonly proxy: () => FetchProxy | Promise<FetchProxy>
  /** When a request last started or its headers came in; 0 before the first. */
  readonly lastActivityAtMs: () => number
  /** Closes idle connections; requests in flight finish. */
  readonly close: () => void
}

/**
 * Bun's own 5 minute socket timer would cut a model that thinks for longer, hence `timeout: false` and a watchdog.
 * Bun's types for `proxy` do not let `undefined` through by accident, but an absent value would mean "ask the
 * environment" (https://bun.com/docs/runtime/networking/fetch), so the option is always present here.
 */
type FetchOptions = BunFetchRequestInit & { readonly proxy: FetchProxy }

/** Idle seconds before the pool drops a connection: longer than what servers keep, so that the server's limit counts. */
export const POOL_IDLE_SEC = 900

/** Makes the sender of one egress identity; connections are shared by all requests on it and by no others. */
export function makeSender(parts: SenderParts): Sender {
  const { egress, clock } = parts
  const session = new Bun.FetchSession({ keepAlive: { idleTimeout: POOL_IDLE_SEC } })
  const way = openWayOut(egress)
  const proxied = egress.type !== "direct"
  let lastActivityAtMs = 0

  const send: SendUpstream = async (request, client) => {
    lastActivityAtMs = clock()
    try {
      const proxy = await way.proxy()
      const keepsAlive = way.keepsAlive(request.url)
      const options: FetchOptions = { ...initOf(request, client), proxy, keepalive: keepsAlive }
      const answer =
        request.carry === undefined
          ? await session.fetch(request.url, options)
          : await request.carry({ ...plainOf(request), way: egress.id, proxy, keepsAlive }, client)
      lastActivityAtMs = clock()
      return await readReply(answer, way)
    } catch (error) {
      throw (
        (client.aborted ? undefined : refusalBehind(error, way)) ??
        readTransportError(error, { phase: "headers", proxied, client })
      )
    }
  }

  const close = () => {
    session.close()
    way.close()
  }
  return { send, lastActivityAtMs: () => lastActivityAtMs, proxy: way.proxy, close }
}

function initOf(request: UpstreamRequest, signal: AbortSignal): BunFetchRequestInit {
  return {
    method: request.method,
    headers: request.headers,
    ...(request.body === undefined ? {} : { body: request.body }),
    redirect: "manual",
    timeout: false,
    signal,
  }
}

function plainOf({ method, url, headers, body }: UpstreamRequest) {
  return { method, url, headers, ...(body !== undefined && { body }) }
}

async function readReply(answer: Response | UpstreamReply, way: WayOut): Promise<UpstreamReply> {
  const refusal = way.refusalIn(answer)
  if (refusal !== undefined) {
    await answer.body?.cancel()
    throw refusal
  }
  return { status: answer.status, headers: answer.headers, body: answer.body ?? undefined }
}

/** Bun's error for a tunnel that was refused carries status and headers of the proxy's answer. */
function refusalBehind(error: unknown, way: WayOut): GatewayError | undefined {
  if (!(error instanceof Error && "status" in error && "headers" in error)) return undefined
  const { status, headers } = error
  return typeof status === "number" && headers instanceof Headers ? way.refusalIn({ status, headers }) : undefined
}
