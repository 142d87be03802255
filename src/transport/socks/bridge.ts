/** An HTTP proxy on loopback, for this process only, that goes out through one SOCKS5 proxy: Bun's fetch does not speak SOCKS. */

import { timingSafeEqual } from "node:crypto"
import { once } from "node:events"
import { createServer, type Server, type Socket } from "node:net"

import type { SocksAddress } from "./address.ts"
import { type DialDeadlines, dialThrough } from "./dial.ts"
import { FAILURE_HEADER, SocksFailure } from "./failure.ts"
import { joinSockets, type pipeAll } from "./join-sockets.ts"
import { readHead } from "./read-head.ts"
import { type BridgeRequest, readBridgeRequest } from "./request-head.ts"

/** Limits of a bridge. */
export type BridgeLimits = DialDeadlines & {
  /** Silence after one side has ended before both are closed. */
  readonly lingerMs: number
}

/** What Sluice runs with. A model may think for minutes before it answers; nothing here limits that. */
export const BRIDGE_LIMITS: BridgeLimits = { greetMs: 10_000, reachMs: 30_000, lingerMs: 30_000 }

/** Where our requests enter, and how they prove that they are ours. */
export type Bridge = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Value before the code in {@link FAILURE_HEADER}; an upstream cannot know it. */
  readonly mark: string
  /** Connections that are open, both sides counted as one. */
  readonly openCount: () => number
  /** Refuses new connections at once; those that exist end with the requests on them. */
  readonly close: () => void
}

/** Opens the bridge on a port of the system's choice, with a secret of its own. */
export async function openBridge(proxy: SocksAddress, limits: BridgeLimits = BRIDGE_LIMITS): Promise<Bridge> {
  const secret = `Basic ${Buffer.from(`sluice:${randomText()}`).toString("base64")}`
  const mark = randomText()
  const open = new Set<Socket>()
  const serveOne = async (near: Socket) => {
    open.add(near)
    near.once("close", () => open.delete(near))
    near.on("error", () => undefined)
    await passOn(near, { proxy, limits, secret, mark })
  }
  const server = createServer({ allowHalfOpen: true, noDelay: true }, near => {
    // Only a peer that broke off ends here: every failure of the way has been answered.
    serveOne(near).catch(() => near.resetAndDestroy())
  })
  const port = await listenOnLoopback(server)
  return {
    url: `http://127.0.0.1:${port}`,
    headers: { "proxy-authorization": secret },
    mark,
    openCount: () => open.size,
    close: () => {
      server.close()
    },
  }
}

type Passage = {
  readonly proxy: SocksAddress
  readonly limits: BridgeLimits
  readonly secret: string
  readonly mark: string
}

async function passOn(near: Socket, { proxy, limits, secret, mark }: Passage): Promise<void> {
  const head = await readHead(near, limits.greetMs)
  const request = head === undefined ? undefined : readBridgeRequest(head)
  if (request === undefined) return answer(near, "400 Bad Request", {})
  if (!isSame(request.secret, secret)) return answer(near, "407 Proxy Authentication Required", {})
  const gone = watchForLeaving(near)
  try {
    const far = await dialThrough(proxy, request.target, { ...limits, signal: gone.signal })
    gone.stop()
    begin(near, far, request, limits.lingerMs)
  } catch (cause) {
    gone.stop()
    if (!(cause instanceof SocksFailure)) throw cause
    answer(near, "502 Bad Gateway", { [FAILURE_HEADER]: `${mark} ${cause.code}` })
  }
}

function begin(near: Socket, far: Socket, request: BridgeRequest, lingerMs: number): void {
  far.setKeepAlive(true, 30_000)
  if (request.type === "tunnel") {
    near.write("HTTP/1.1 200 Connection established\r\n\r\n")
    joinSockets(near, far, lingerMs)
  } else {
    far.write(request.head)
    joinSockets(near, far, lingerMs, sendAtMost(request.bodyBytes))
  }
}

/** Passes the bytes of one request and no more: what follows would be a second request, with our secret in its head. */
function sendAtMost(bodyBytes: number): typeof pipeAll {
  return (near, far) => {
    let left = bodyBytes
    near.on("data", chunk => {
      left -= chunk.length
      if (left < 0) near.resetAndDestroy()
      else if (!far.write(chunk)) near.pause()
    })
    far.on("drain", () => near.resume())
    near.once("end", () => far.end())
  }
}

/** Aborts when our client goes away before there is a connection to close. */
function watchForLeaving(near: Socket): { readonly signal: AbortSignal; readonly stop: () => void } {
  const left = new AbortController()
  const leave = () => left.abort()
  // An end is only told to those who read; nothing is taken as long as there is something to take.
  const look = () => near.readableLength === 0 && near.read(0)
  near.on("readable", look)
  for (const event of ["end", "close"]) near.once(event, leave)
  return {
    signal: left.signal,
    stop: () => {
      near.off("readable", look)
      for (const event of ["end", "close"]) near.off(event, leave)
    },
  }
}

function answer(near: Socket, status: string, fields: Readonly<Record<string, string>>): void {
  const lines = Object.entries({ ...fields, "content-length": "0", connection: "close" })
  near.end(`HTTP/1.1 ${status}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`)
  // Half-open sockets outlive their own end; nothing the client still says matters.
  near.once("finish", () => near.destroy())
}

function isSame(given: string, secret: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(secret)]
  return one.length === other.length && timingSafeEqual(one, other)
}

function randomText(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")
}

async function listenOnLoopback(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  // A command that is done must not wait for its bridge.
  server.unref()
  const address = server.address()
  if (address === null || typeof address === "string") throw new TypeError("a listening server has a port")
  return address.port
}
