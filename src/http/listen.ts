/** Opens a port on Bun's HTTP server. */

import { GatewayError } from "#core/errors.ts"

import type { ResponsesSockets, SocketData } from "./sockets/responses-sockets.ts"

/** Where to listen. Port 0 takes a free one. */
export type ListenAddress = {
  readonly host: string
  readonly port: number
  /** True: the process that this one replaces listens there still, and this one joins it. */
  readonly isJoined?: boolean
}

/** Only here the kernel keeps other users from sharing a port, and deals connections out evenly. */
const SHARES_PORTS = process.platform === "linux"

/** How long a client may take to send the head of its first request. */
export const HEAD_TIMEOUT_SEC = 10

/** Takes handshakes; see `sockets`. */
export type ListenSockets = Pick<ResponsesSockets, "upgrade" | "handler">

/** A port without WebSocket. */
const NO_SOCKETS: ListenSockets = { upgrade: () => undefined, handler: { message: socket => socket.close() } }

/** Starts listening. Throws `invalid-request` with the reason when the address cannot be taken. */
export function listen(
  address: ListenAddress,
  fetch: (request: Request) => Response | Promise<Response>,
  sockets: ListenSockets = NO_SOCKETS,
) {
  refuseTaken(address)
  try {
    return Bun.serve<SocketData>({
      hostname: address.host,
      port: address.port,
      // For connections that do not get as far as a whole request head.
      idleTimeout: HEAD_TIMEOUT_SEC,
      // Bodies are measured by us, so that the refusal speaks the client's dialect.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      development: false,
      // A later process that replaces this one joins. Who may not has been found out before.
      reusePort: SHARES_PORTS,
      fetch: (request, server) => {
        // From here on bodies and streams have their own watchdogs: an answer may be silent for minutes.
        server.timeout(request, 0)
        const upgraded = sockets.upgrade(request, server)
        return upgraded === "upgraded" ? undefined : (upgraded ?? fetch(request))
      },
      websocket: sockets.handler,
    })
  } catch (cause) {
    throw cannotListen(address, cause)
  }
}

/** The refusal of an address that cannot be taken. */
export function cannotListen(address: ListenAddress, cause: unknown): GatewayError {
  const reason = cause instanceof Error ? cause.message : "unknown reason"
  return new GatewayError("invalid-request", `Cannot listen on ${address.host}:${address.port}: ${reason}`, {
    hint: "Another program may use the port: stop it, or choose another one with --listen.",
    cause,
  })
}

/**
 * Throws when anybody listens there: sharing would succeed without a word, and the kernel would deal the connections out
 * between two programs that know nothing of each other. Nobody is cut, because nobody has the port when this succeeds.
 */
export function refuseTaken({ host, port, isJoined }: ListenAddress): void {
  if (!SHARES_PORTS || port === 0 || isJoined === true) return
  try {
    const answer = () => new Response(null, { status: 503 })
    void Bun.serve({ hostname: host, port, reusePort: false, fetch: answer }).stop(true)
  } catch (cause) {
    throw cannotListen({ host, port }, cause)
  }
}
