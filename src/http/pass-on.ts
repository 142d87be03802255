/** Passes requests on to another process of this gateway, over a socket that only this user may open. */

import { GatewayError } from "#core/errors.ts"

import type { RunningServer } from "./server.ts"

/** Who the client is, said by the process that has its connection. On any other socket it means nothing. */
const PEER_HEADER = "x-sluice-passed-peer"

/** They belong to one connection, and the next hop has its own. */
const CONNECTION_HEADERS = ["connection", "keep-alive", "content-length", "transfer-encoding"]

/** Answers what is passed on, at a unix socket. The returned function ends that when nothing runs any more. */
export function servePassedOn(unix: string, serve: RunningServer["serve"]): () => Promise<void> {
  const server = Bun.serve({
    unix,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    development: false,
    fetch: request => {
      server.timeout(request, 0)
      const peer = request.headers.get(PEER_HEADER) ?? undefined
      request.headers.delete(PEER_HEADER)
      return serve(request, peer)
    },
  })
  return () => server.stop()
}

/**
 * Has a request answered there. The client's connection ends with the answer, so that its next one goes there directly. Rejects
 * with `no-account` when nobody answers.
 */
export async function passOn(request: Request, peer: string | undefined, unix: string): Promise<Response> {
  const headers = new Headers(request.headers)
  for (const name of CONNECTION_HEADERS) headers.delete(name)
  headers.delete(PEER_HEADER)
  if (peer !== undefined) headers.set(PEER_HEADER, peer)
  const { body, method, signal, url } = request
  const options = {
    unix,
    method,
    headers,
    body,
    signal,
    redirect: "manual",
    decompress: false,
    timeout: false,
  } as const
  try {
    return lastAnswer(await fetch(url, options))
  } catch (cause) {
    throw new GatewayError("no-account", "The gateway is being replaced. Try again.", {
      code: "gateway_stopping",
      retryAfterMs: 1_000,
      cause,
    })
  }
}

function lastAnswer(response: Response): Response {
  const headers = new Headers(response.headers)
  for (const name of CONNECTION_HEADERS) headers.delete(name)
  headers.set("connection", "close")
  return new Response(response.body, { status: response.status, headers })
}
