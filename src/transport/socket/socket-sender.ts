/** Sends turns over WebSockets where that works, and everything else over HTTP. */

import type { Clock, Timers } from "#core/clock.ts"
import type { SocketSpeaker } from "#core/socket.ts"
import type { SendUpstream, UpstreamReply, UpstreamRequest, UpstreamSocket } from "#core/upstream.ts"
import type { FetchProxy } from "#transport/way-out.ts"

import { makeDetours } from "./detours.ts"
import { type Dialled, dialSocket, type SocketDial } from "./dial-socket.ts"
import { makeSocketPool, type SocketWish } from "./socket-pool.ts"

/** Parts of the sender. */
export type SocketSenderParts = {
  readonly clock: Clock
  readonly timers: Timers
  /** For everything that does not go over a socket. */
  readonly http: SendUpstream
  /** The proxy of a way out, by its name; rejects when there is no such way. */
  readonly proxyOf: (egress: string | undefined) => FetchProxy | Promise<FetchProxy>
  /**
   * True while the environment exempts addresses from proxies (`NO_PROXY`). Bun's WebSocket client obeys that even for a
   * proxy it is given, and has no word against it: such a turn would leave directly.
   */
  readonly bypassesProxies: () => boolean
  readonly makeSpeaker: () => SocketSpeaker
  readonly maxPerAccount: () => number
  /** Told why a turn that could have gone over a socket goes over HTTP. */
  readonly onDetour: (reason: DetourReason, account: string) => void
  /** Default: Bun's client. */
  readonly dial?: (dial: SocketDial) => Promise<Dialled>
}

/** Why a turn goes over HTTP. */
export type DetourReason = "busy" | "full" | "refused" | "too-large" | "remembered" | "proxy-exemption"

/** The sender and the end of its sockets. */
export type SocketSender = { readonly send: SendUpstream; readonly close: () => void }

/** Headers that a socket's handshake takes over from the request: they were added for the account on the way here. */
const ADDED_HEADERS = ["cookie"] as const

/** How often a turn is sent that was refused for how it was asked. */
const MAX_ROUNDS = 2

/**
 * Makes the sender. A handshake that fails says nothing about the account, for Bun shows neither its body nor its headers:
 * the turn goes over HTTP then, and what HTTP answers counts. Once a frame is sent, the turn is never sent again here
 * unless the upstream has refused it.
 */
export function makeSocketSender(parts: SocketSenderParts): SocketSender {
  const detours = makeDetours(parts)
  const pool = makeSocketPool(parts)
  const dial = parts.dial ?? dialSocket

  const overSocket = async (turn: TurnOnSocket, signal: AbortSignal): Promise<UpstreamReply | DetourReason> => {
    const { request, place, login, text } = turn
    if (!detours.isOpen(place, login, text.length)) return "remembered"
    const proxy = await parts.proxyOf(request.egress)
    if (proxy !== false && parts.bypassesProxies()) return "proxy-exemption"
    const wish = wishOf(turn, () =>
      dial({ url: turn.socket.url, headers: turn.headers, proxy, signal, timers: parts.timers }),
    )
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const outcome = await askOnce(turn, wish, signal)
      if (outcome !== "again") return outcome
    }
    return "refused"
  }

  const askOnce = async (
    turn: TurnOnSocket,
    wish: SocketWish,
    signal: AbortSignal,
  ): Promise<UpstreamReply | DetourReason | "again"> => {
    const { place, login, text, socket } = turn
    const taken = await pool.take(wish)
    if (taken.type === "refused") detours.refused(place, login, taken.status)
    if (taken.type !== "socket") return taken.type
    const start = await taken.socket.run({ body: socket.body, text, metadata: socket.metadata }, signal)
    if (start.type === "too-large") detours.tooLarge(place, text.length)
    return start.type === "reply" ? start.reply : start.type
  }

  return {
    send: async (request, signal) => {
      const turn = turnOf(request)
      if (turn === undefined) return parts.http(request, signal)
      const reply = await overSocket(turn, signal)
      if (typeof reply !== "string") return reply
      parts.onDetour(reply, turn.account)
      return parts.http(request, signal)
    },
    close: pool.close,
  }
}

type TurnOnSocket = {
  readonly request: UpstreamRequest
  readonly socket: UpstreamSocket
  readonly account: string
  /** Account and way out. */
  readonly place: string
  readonly headers: Readonly<Record<string, string>>
  /** Everything the handshake presents. */
  readonly credential: string
  /** The account's token alone. */
  readonly login: string
  readonly text: string
}

function wishOf({ place, account, credential, socket }: TurnOnSocket, dial: SocketWish["dial"]): SocketWish {
  return { key: `${place} ${socket.conversation}`, account, credential, dial }
}

function turnOf(request: UpstreamRequest): TurnOnSocket | undefined {
  const { socket, account, body } = request
  if (socket === undefined || account === undefined || body === undefined) return undefined
  const headers: Record<string, string> = { ...socket.headers }
  // Cookies change with every answer and are no reason for another socket.
  const credential = hashed([socket.url, headers])
  const login = hashed(headers["authorization"] ?? "")
  for (const name of ADDED_HEADERS) {
    const value = request.headers[name]
    if (value !== undefined) headers[name] = value
  }
  const place = `${account} ${request.egress ?? ""}`
  return { request, socket, account, place, headers, credential, login, text: body }
}

/** What is kept for comparing: a login is no business of the memory of sockets. */
function hashed(value: unknown): string {
  return Bun.hash(JSON.stringify(value)).toString(36)
}
