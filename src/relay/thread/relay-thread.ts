/** A relay: its port, the requests it carries, and everything else on its way to the owner. */

import type { Server } from "bun"

import { makeHeartbeat } from "#gateway/answer/heartbeat.ts"
import { cannotListen, HEAD_TIMEOUT_SEC } from "#http/listen.ts"
import { freezeError } from "#relay/frozen-error.ts"
import type { Post, RelaySettings, ToOwner, ToRelay } from "#relay/messages.ts"
import { makeCarriedSender } from "#transport/carried-sender.ts"

import { askOwner } from "./ask-owner.ts"
import { type BridgeData, bridgeHandler, bridgeSocket } from "./bridge-sockets.ts"
import { Exchange } from "./exchange.ts"
import { isHot } from "./hot-addresses.ts"
import type { AttemptParts } from "./make-attempt.ts"

/** What a relay is made of. */
export type RelayThreadParts = Pick<AttemptParts, "clock" | "timers"> & { readonly post: Post<ToOwner> }

/** A relay; nothing is open before it is told to start. */
export type RelayThread = { readonly hear: (message: ToRelay) => void }

type Start = Extract<ToRelay, { type: "start" }>

/** Makes a relay. */
export function makeRelayThread({ clock, timers, post }: RelayThreadParts): RelayThread {
  const exchanges = new Map<number, Exchange>()
  const heartbeat = makeHeartbeat({ clock, timers })
  let settings: RelaySettings = { bodyTimeoutMs: 0, maxBodyBytes: 0, carries: false }
  let server: Server<BridgeData> | undefined
  let ids = 0
  const parts = { clock, timers, heartbeat, send: makeCarriedSender(), post, settings: () => settings }

  const carry = (request: Request, peer: string | undefined): Promise<Response> => {
    ids += 1
    const id = ids
    const exchange = new Exchange({ id, request, peer, over: () => exchanges.delete(id) }, parts)
    exchanges.set(id, exchange)
    return exchange.response
  }

  const start = ({ host, port, door, settings: first }: Start) => {
    settings = first
    try {
      server = Bun.serve<BridgeData>({
        hostname: host,
        port,
        reusePort: true,
        idleTimeout: HEAD_TIMEOUT_SEC,
        // Bodies are measured by the owner, so that the refusal speaks the client's dialect.
        maxRequestBodySize: Number.MAX_SAFE_INTEGER,
        development: false,
        fetch: (request, at) => {
          // From here on bodies and streams have their own watchdogs: an answer may be silent for minutes.
          at.timeout(request, 0)
          const peer = at.requestIP(request)?.address
          if (isHandshake(request)) return bridgeSocket(request, at, { door, peer })
          return settings.carries && isHot(request) ? carry(request, peer) : askOwner(request, { unix: door, peer })
        },
        websocket: bridgeHandler,
      })
      post({ type: "listening", port: server.port ?? port })
    } catch (cause) {
      post({ type: "failed", error: freezeError(cannotListen({ host, port }, cause)) })
    }
  }

  return {
    hear: message => {
      if (message.type === "start") start(message)
      else if (message.type === "settings") settings = message.settings
      else if (message.type === "drain") void server?.stop().then(() => post({ type: "drained" }))
      else exchanges.get(message.id)?.obey(message)
    },
  }
}

function isHandshake({ method, headers }: Request): boolean {
  return method === "GET" && headers.get("upgrade")?.toLowerCase() === "websocket"
}
