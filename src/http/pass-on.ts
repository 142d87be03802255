/** Passes requests on to another process or thread of this gateway, over a socket that only this user may open. */

import { GatewayError } from "#core/errors.ts"
import { CONNECTION_HEADERS } from "#wire/header-filter.ts"

import type { RunningServer } from "./server.ts"

/** Who the client is, said by whoever has its connection. On any other socket it means nothing and is dropped. */
const PEER_HEADER = "x-sluice-passed-peer"

/** Where a request goes, and whom it is from. */
export type PassTo = {
  readonly unix: string
  readonly peer: string | undefined
  /** Headers of this hop. */
  readonly extra?: Readonly<Record<string, string>>
}

/** Headers of a client's request as the other side gets them. */
export function passedHeaders(client: Headers, { peer, extra = {} }: Omit<PassTo, "unix">): Headers {
  const headers = endToEnd(client)
  headers.delete(PEER_HEADER)
  if (peer !== undefined) headers.set(PEER_HEADER, peer)
  for (const [name, value] of Object.entries(extra)) headers.set(name, value)
  return headers
}

/** Returns who the client is, and takes that out of the request. Only for requests from a private socket. */
export function takePeer({ headers }: Request): string | undefined {
  const peer = headers.get(PEER_HEADER) ?? undefined
  headers.delete(PEER_HEADER)
  return peer
}

/** Has a request answered there, bytes as they come. Rejects with `fetch`'s error when nobody answers. */
export async function passOn(request: Request, to: PassTo): Promise<Response> {
  const { body, method, signal, url } = request
  const answer = await fetch(url, {
    unix: to.unix,
    method,
    headers: passedHeaders(request.headers, to),
    body,
    signal,
    redirect: "manual",
    decompress: false,
    timeout: false,
  })
  const headers = endToEnd(answer.headers)
  // A process that is being replaced sends its clients to the next one.
  if (answer.headers.get("connection") === "close") headers.set("connection", "close")
  return new Response(answer.body, { status: answer.status, headers })
}

function endToEnd(headers: Headers): Headers {
  const kept = new Headers(headers)
  for (const name of CONNECTION_HEADERS) kept.delete(name)
  return kept
}

/** Answers what the process before passes on, at a unix socket. The returned function ends that when nothing runs any more. */
export function servePassedOn(unix: string, serve: RunningServer["serve"]): () => Promise<void> {
  const server = Bun.serve({
    unix,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    development: false,
    fetch: request => {
      server.timeout(request, 0)
      return serve(request, takePeer(request))
    },
  })
  return () => server.stop()
}

/**
 * Passes a request on to the process that replaces this one. The client's connection ends with the answer, so that its next
 * one goes there directly. Rejects with `no-account` when nobody answers.
 */
export async function passToSuccessor(request: Request, to: PassTo): Promise<Response> {
  try {
    const answer = await passOn(request, to)
    answer.headers.set("connection", "close")
    return answer
  } catch (cause) {
    throw new GatewayError("no-account", "The gateway is being replaced. Try again.", {
      code: "gateway_stopping",
      retryAfterMs: 1_000,
      cause,
    })
  }
}
