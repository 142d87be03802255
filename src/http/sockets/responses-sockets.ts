/** The door to Responses over WebSocket: handshake, the sockets that are open, and their end. */

import type { Server, ServerWebSocket, WebSocketHandler } from "bun"

import { GatewayError } from "#core/errors.ts"
import type { Principal } from "#core/request.ts"
import type { Gateway } from "#gateway/gateway.ts"
import { makeResponseMemory } from "#gateway/memory/response-memory.ts"
import { errorResponse } from "#http/errors.ts"
import { newRequestId, type ServeParts } from "#http/serve-model.ts"

import { type Line, type ResponsesSession, SOCKET_LIFE_MS, startSession } from "./responses-session.ts"

/** What a socket carries until it is open. */
export type SocketData = {
  readonly principal: Principal
  readonly headers: Headers
  session?: ResponsesSession
  /** Called when the client has read what was sent, or is gone. */
  wake?: () => void
}

/** The door. */
export type ResponsesSockets = {
  /** Takes a handshake at one of the addresses; undefined = it is none of ours. A response = it was refused. */
  readonly upgrade: (request: Request, server: Server<SocketData>) => Response | "upgraded" | undefined
  readonly handler: WebSocketHandler<SocketData>
  /** Closes idle sockets now and the others after the turn that runs. */
  readonly finish: () => void
}

const ADDRESS = /^(\/v1|\/v1\/v1|\/backend-api\/codex)?\/responses\/?$/

/** Unread bytes above which the answer waits for the client. */
const HIGH_WATER_BYTES = 1024 * 1024
/** A client that answers no ping for so long is gone. */
const SILENT_SEC = 120
/** Conversations of one socket; a bigger one can still be sent whole. */
const MEMORY = { isOn: true, maxBytes: 64 * 1024 * 1024, ttlMs: SOCKET_LIFE_MS }

/** A browser cannot send headers: OpenAI's own convention puts the key among the protocols. */
const KEY_PROTOCOL = "openai-insecure-api-key."

/** Makes the door. `maxFrameBytes` bounds what a client may send at once. */
export function makeResponsesSockets(gateway: Gateway, parts: ServeParts, maxFrameBytes: number): ResponsesSockets {
  const open = new Set<ResponsesSession>()

  const start = (socket: ServerWebSocket<SocketData>) => {
    const { principal, headers } = socket.data
    const session = startSession({
      clock: parts.clock,
      timers: parts.timers,
      line: lineOf(socket),
      principal,
      headers,
      newRequestId: () => newRequestId(parts),
      turn: gateway.turn,
      shared: gateway.memory,
      memory: makeResponseMemory(parts.clock, () => MEMORY, { keepsAll: true }),
    })
    socket.data.session = session
    open.add(session)
  }

  return {
    upgrade: (request, server) => {
      if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return undefined
      const url = new URL(request.url)
      if (request.method !== "GET" || !ADDRESS.test(url.pathname)) return undefined
      try {
        const { asked, protocol } = withKeyOfProtocols(request)
        const data: SocketData = {
          principal: parts.admission().admit(asked, url, parts.peerOf),
          headers: asked.headers,
        }
        const reply = protocol === undefined ? {} : { "sec-websocket-protocol": protocol }
        if (server.upgrade(request, { data, headers: reply })) return "upgraded"
        throw new GatewayError("invalid-request", "The WebSocket handshake is not valid.", {
          code: "invalid_handshake",
        })
      } catch (cause) {
        return errorResponse(cause, "openai-responses", newRequestId(parts))
      }
    },
    handler: {
      open: start,
      message: (socket, message) => {
        // A binary frame is an error in this protocol.
        if (typeof message === "string") socket.data.session?.receive(message)
        else socket.close(1003, "only text frames are understood")
      },
      drain: socket => socket.data.wake?.(),
      close: socket => {
        const { session } = socket.data
        if (session !== undefined) open.delete(session)
        session?.closed()
        socket.data.wake?.()
      },
      maxPayloadLength: maxFrameBytes,
      idleTimeout: SILENT_SEC,
      sendPings: true,
      // The answer waits long before that; a client that stops reading is cut by the answer's own watch.
      backpressureLimit: maxFrameBytes,
    },
    finish: () => {
      for (const session of open) session.finish()
    },
  }
}

function lineOf(socket: ServerWebSocket<SocketData>): Line {
  return {
    send: text => {
      socket.send(text)
    },
    drained: async () => {
      while (socket.readyState === WebSocket.OPEN && socket.getBufferedAmount() > HIGH_WATER_BYTES) {
        await new Promise<void>(resolve => {
          socket.data.wake = resolve
        })
      }
      if (socket.readyState !== WebSocket.OPEN) throw new GatewayError("cancelled", "The client went away.")
    },
    close: (code, reason) => socket.close(code, reason),
  }
}

/** Returns the request with the key as a header, and the protocol that is agreed on, if the client offers any. */
function withKeyOfProtocols(request: Request): { readonly asked: Request; readonly protocol: string | undefined } {
  const offered = (request.headers.get("sec-websocket-protocol") ?? "").split(",").map(word => word.trim())
  const key = offered.find(word => word.startsWith(KEY_PROTOCOL))?.slice(KEY_PROTOCOL.length)
  const protocol = offered.find(word => word !== "" && !word.startsWith(KEY_PROTOCOL))
  if (key === undefined || request.headers.has("authorization")) return { asked: request, protocol }
  const headers = new Headers(request.headers)
  headers.set("authorization", `Bearer ${key}`)
  return { asked: new Request(request.url, { headers }), protocol }
}
