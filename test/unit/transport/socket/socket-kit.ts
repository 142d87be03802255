/** A WebSocket upstream on loopback that does what a test says, and a sender in front of it with a clock of the test's own. */

import { systemTimers } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import type { JsonObject } from "#core/json.ts"
import type { UpstreamReply, UpstreamRequest } from "#core/upstream.ts"
import { makeResponsesSpeaker } from "#protocols/openai-responses/socket/speaker.ts"
import { type ClientSocket, dialSocket } from "#transport/socket/dial-socket.ts"
import { type DetourReason, makeSocketSender, type SocketSenderParts } from "#transport/socket/socket-sender.ts"

/** The server's side of one connection. */
export type Peer = {
  readonly number: number
  readonly headers: Headers
  readonly frames: JsonObject[]
  readonly send: (frame: JsonObject | Uint8Array) => number
  readonly close: (code: number) => void
  readonly terminate: () => void
  /** Resolves with the code the client closed with; 1006 = without a close frame. */
  readonly closed: Promise<number>
}

/** What the upstream does with a frame. Default: {@link answer}. */
export type OnFrame = (peer: Peer, frame: JsonObject) => void

/** An upstream. */
export type Upstream = { readonly url: string; readonly peers: readonly Peer[]; readonly stop: () => Promise<void> }

/** A whole answer with an id of its own. */
export function answer(peer: Peer): void {
  const id = `resp_${peer.number}_${peer.frames.length}`
  peer.send(created(id))
  peer.send({ type: "response.output_text.delta", output_index: 0, delta: id })
  peer.send({ type: "response.completed", response: { id, status: "completed", output: [] } })
}

/** The first event of an answer. */
export function created(id: string): JsonObject {
  return { type: "response.created", response: { id, status: "in_progress" } }
}

type PeerData = { peer?: Peer; readonly headers: Headers; readonly closed: PromiseWithResolvers<number> }

/** Starts an upstream. */
export function startUpstream(onFrame: OnFrame = answer): Upstream {
  const peers: Peer[] = []
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, self) => {
      const data: PeerData = { headers: new Headers(request.headers), closed: Promise.withResolvers<number>() }
      return self.upgrade(request, { data }) ? undefined : new Response("no", { status: 426 })
    },
    websocket: {
      data: {} as PeerData,
      idleTimeout: 0,
      sendPings: false,
      open: socket => {
        const peer: Peer = {
          number: peers.length + 1,
          headers: socket.data.headers,
          frames: [],
          send: frame => socket.send(frame instanceof Uint8Array ? frame : JSON.stringify(frame)),
          close: code => socket.close(code),
          terminate: () => socket.terminate(),
          closed: socket.data.closed.promise,
        }
        socket.data.peer = peer
        peers.push(peer)
      },
      message: (socket, text) => {
        const { peer } = socket.data
        if (peer === undefined) return
        const frame: JsonObject = JSON.parse(String(text))
        peer.frames.push(frame)
        onFrame(peer, frame)
      },
      close: (socket, code) => socket.data.closed.resolve(code),
    },
  })
  return { url: `ws://127.0.0.1:${server.port}/`, peers, stop: () => server.stop(true) }
}

/** What a request may say. */
export type TurnOptions = {
  readonly conversation?: string
  readonly account?: string
  readonly login?: string
  readonly text?: string
  readonly egress?: string
  readonly signal?: AbortSignal
}

/** A sender under test. */
export type SenderWorld = {
  readonly send: (options?: TurnOptions) => Promise<UpstreamReply>
  /** Sends and reads the whole answer. */
  readonly ask: (options?: TurnOptions) => Promise<string>
  readonly detours: readonly DetourReason[]
  /** Moves the clock; no timer fires. */
  readonly wait: (ms: number) => void
  /** Runs the pool's upkeep once. */
  readonly tend: () => void
  /** Every socket that was opened, in order. */
  readonly dialled: readonly ClientSocket[]
  readonly close: () => void
}

/** Makes a sender in front of `url`; what goes over HTTP is answered "over http". */
export function makeWorld(url: string, parts: Partial<SocketSenderParts> = {}): SenderWorld {
  let nowMs = 1_800_000_000_000
  const detours: DetourReason[] = []
  const dialled: ClientSocket[] = []
  let tend = () => {}
  const sender = makeSocketSender({
    clock: () => nowMs,
    timers: {
      after: systemTimers.after,
      every: (_, run) => {
        tend = run
        return () => {
          tend = () => {}
        }
      },
    },
    http: async () => ({ status: 200, headers: new Headers(), body: new Response("over http").body ?? undefined }),
    proxyOf: () => false,
    bypassesProxies: () => false,
    makeSpeaker: makeResponsesSpeaker,
    maxPerAccount: () => 16,
    onDetour: reason => detours.push(reason),
    dial: async dial => {
      const result = await dialSocket(dial)
      if (result.type === "open") dialled.push(result.socket)
      return result
    },
    ...parts,
  })
  const send = (options: TurnOptions = {}) =>
    sender.send(requestOf(url, options), options.signal ?? new AbortController().signal)
  return {
    send,
    ask: async options => new Response((await send(options)).body).text(),
    detours,
    wait: ms => {
      nowMs += ms
    },
    tend: () => tend(),
    dialled,
    close: sender.close,
  }
}

function requestOf(url: string, options: TurnOptions): UpstreamRequest {
  const { conversation = "c1", account = "a1", login = "token-1", text = "hi", egress } = options
  const input = [{ type: "message", role: "user", content: [{ type: "input_text", text }] }]
  const body = { model: "m", instructions: "", input, store: false, stream: true }
  return {
    method: "POST",
    url: url.replace("ws", "http"),
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    egress,
    // Ids of accounts are plain texts to the transport.
    account: account as AccountId,
    socket: { url, conversation, headers: { authorization: `Bearer ${login}` }, metadata: {}, body },
  }
}
