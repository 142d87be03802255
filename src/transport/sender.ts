/** Sends upstream requests through one way out, with a connection pool of its own. Deadlines come in the signal. */

import type { Clock } from "#core/clock.ts"
import type { SendUpstream, UpstreamReply, UpstreamRequest } from "#core/upstream.ts"

import type { Egress } from "./egress.ts"
import { proxyRefusal, readTransportError } from "./transport-error.ts"

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
type FetchOptions = BunFetchRequestInit & { readonly proxy: NonNullable<BunFetchRequestInit["proxy"]> }

/** Idle seconds before the pool drops a connection: longer than what servers keep, so that the server's limit counts. */
const POOL_IDLE_SEC = 900

/** Makes the sender of one egress identity; connections are shared by all requests on it and by no others. */
export function makeSender(parts: SenderParts): Sender {
  const { egress, clock } = parts
  const session = new Bun.FetchSession({ keepAlive: { idleTimeout: POOL_IDLE_SEC } })
  const proxy =
    egress.type === "direct" ? false : { url: egress.url, headers: { ...egress.headers }, respectNoProxy: false }
  let lastActivityAtMs = 0

  const send: SendUpstream = async (request, client) => {
    lastActivityAtMs = clock()
    try {
      const options: FetchOptions = { ...initOf(request, client), proxy }
      const response = await session.fetch(request.url, options)
      lastActivityAtMs = clock()
      return await readReply(response, egress)
    } catch (error) {
      throw readTransportError(error, { phase: "headers", proxied: egress.type === "proxy", client })
    }
  }

  return { send, lastActivityAtMs: () => lastActivityAtMs, close: () => session.close() }
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

async function readReply(response: Response, egress: Egress): Promise<UpstreamReply> {
  if (egress.type === "proxy" && response.status === 407) {
    await response.body?.cancel()
    throw proxyRefusal(response.status)
  }
  return { status: response.status, headers: response.headers, body: response.body ?? undefined }
}
