/** Bridges WebSockets to the owner: the handshake is asked for there first, then frames pass both ways. */

import type { Server, ServerWebSocket, WebSocketHandler } from "bun"

import { passedHeaders } from "#http/pass-on.ts"

import { askOwner } from "./ask-owner.ts"

/** One bridged socket: the owner's end, and what came from there before the client's end was open. */
export type BridgeData = { readonly owner: WebSocket; readonly early: (string | Buffer)[]; isOpen: boolean }

/** Where the owner is, and who asks. */
export type BridgeTo = { readonly door: string; readonly peer: string | undefined }

/** Names of the handshake itself, which the other handshake has of its own. */
const HANDSHAKE = /^sec-websocket-/

/** As the owner's own sockets: it bounds what a client may send. */
const MAX_FRAME_BYTES = 1024 * 1024 * 1024
const SILENT_SEC = 120

/** Takes a handshake: undefined = it has become a socket, else the owner's refusal. */
export async function bridgeSocket(
  request: Request,
  server: Server<BridgeData>,
  { door, peer }: BridgeTo,
): Promise<Response | undefined> {
  const { pathname, search } = new URL(request.url)
  const headers: Record<string, string> = {}
  for (const [name, value] of passedHeaders(request.headers, { peer })) {
    if (!HANDSHAKE.test(name) && name !== "host") headers[name] = value
  }
  const offered = request.headers.get("sec-websocket-protocol")
  if (offered !== null) headers["sec-websocket-protocol"] = offered
  const owner = construct(`ws+unix://${door}:${pathname}${search}`, { headers })
  const data: BridgeData = { owner, early: [], isOpen: false }
  owner.addEventListener("message", ({ data: frame }: MessageEvent<string | Buffer>) => {
    if (!data.isOpen) data.early.push(frame)
  })
  if (await isOpened(owner)) {
    const reply = owner.protocol === "" ? {} : { "sec-websocket-protocol": owner.protocol }
    if (server.upgrade(request, { data, headers: reply })) return undefined
    owner.close()
  }
  // Bun's client tells nothing of a refused handshake: asked as a plain request the owner says why.
  return askOwner(request, { unix: door, peer, extra: { upgrade: "websocket" } })
}

/** With the DOM's types in scope, the global is typed without Bun's options. */
function construct(url: string, options: Bun.WebSocketOptions): WebSocket {
  const Constructor = WebSocket as unknown as new (url: string, options: Bun.WebSocketOptions) => WebSocket
  return new Constructor(url, options)
}

function isOpened(socket: WebSocket): Promise<boolean> {
  return new Promise(resolve => {
    socket.addEventListener("open", () => resolve(true), { once: true })
    socket.addEventListener("close", () => resolve(false), { once: true })
    // The close that follows says the same.
    socket.addEventListener("error", () => {}, { once: true })
  })
}

/** Passes frames and the end of either side on to the other. */
export const bridgeHandler: WebSocketHandler<BridgeData> = {
  open: client => {
    const { data } = client
    const { owner } = data
    data.isOpen = true
    for (const frame of data.early.splice(0)) client.send(frame)
    owner.addEventListener("message", ({ data: frame }: MessageEvent<string | Buffer>) => {
      client.send(frame)
    })
    if (owner.readyState !== WebSocket.OPEN) return client.close()
    owner.addEventListener("close", ({ code, reason }) => closeClient(client, code, reason))
    return undefined
  },
  message: ({ data }, frame) => {
    data.owner.send(frame)
  },
  close: ({ data }, code, reason) => {
    data.owner.close(sendable(code), reason)
  },
  maxPayloadLength: MAX_FRAME_BYTES,
  idleTimeout: SILENT_SEC,
  sendPings: true,
}

function closeClient(client: ServerWebSocket<BridgeData>, code: number, reason: string): void {
  client.close(sendable(code), reason)
}

/** Some codes are only ever told, never sent (RFC 6455 section 7.4.1). */
function sendable(code: number): number {
  return code === 1005 || code === 1006 || code === 1015 ? 1001 : code
}
