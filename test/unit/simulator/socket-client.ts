/** A bare WebSocket client of the simulator: sends frames, keeps what comes back in order. */

import { systemTimers } from "#core/clock.ts"
import type { JsonObject } from "#core/json.ts"
import type { Simulator } from "#simulator/simulator.ts"
import { dialSocket } from "#transport/socket/dial-socket.ts"

import { GOOD_BODY, headersFor } from "./client.ts"

/** How a connection ended. */
export type Closed = { readonly code: number; readonly reason: string }

/** An open connection. */
export type SocketClient = {
  readonly send: (frame: JsonObject | string | Uint8Array) => void
  /** Sends a turn and resolves with its frames up to the terminal or error frame, or to the end of the connection. */
  readonly turn: (frame: JsonObject) => Promise<readonly JsonObject[]>
  /** Resolves with every frame so far once one has the type; `undefined` = one without a type. */
  readonly until: (type: string) => Promise<readonly JsonObject[]>
  readonly closed: Promise<Closed>
  readonly leave: () => void
}

const LAST = new Set(["response.completed", "response.incomplete", "response.failed", "error"])

/** A whole turn. */
export const CREATE: JsonObject = { type: "response.create", ...GOOD_BODY }

/** One user message as an input item. */
export function userItem(text: string): JsonObject {
  return { type: "message", role: "user", content: [{ type: "input_text", text }] }
}

/** Opens a socket. Rejects with the number of a handshake that was refused. */
export async function openSocket(simulator: Simulator, headers: Record<string, string> = {}): Promise<SocketClient> {
  const all = { ...headersFor(simulator), "openai-beta": "responses_websockets=2026-02-06", ...headers }
  const address = `${simulator.url.replace("http", "ws")}/backend-api/codex/responses`
  const { signal } = new AbortController()
  const dialled = await dialSocket({ url: address, headers: all, proxy: false, signal, timers: systemTimers })
  if (dialled.type === "refused") throw new Error(String(dialled.status))
  const { socket } = dialled
  const frames: JsonObject[] = []
  const watchers = new Set<() => void>()
  const closed = Promise.withResolvers<Closed>()
  let isClosed = false
  const notify = () => {
    for (const watch of watchers) watch()
  }
  socket.onmessage = ({ data }) => {
    frames.push(JSON.parse(String(data)))
    notify()
  }
  socket.onclose = ({ code, reason }) => {
    isClosed = true
    closed.resolve({ code, reason })
    notify()
  }
  const when = (check: () => boolean) =>
    new Promise<void>(resolve => {
      const watch = () => {
        if (!isClosed && !check()) return
        watchers.delete(watch)
        resolve()
      }
      watchers.add(watch)
      watch()
    })
  const send: SocketClient["send"] = frame =>
    socket.send(typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame))
  const client: SocketClient = {
    send,
    turn: async frame => {
      const start = frames.length
      send(frame)
      const isOver = () => frames.slice(start).some(({ type }) => LAST.has(String(type)))
      await when(isOver)
      return frames.slice(start)
    },
    until: async type => {
      await when(() => frames.some(frame => String(frame["type"]) === type))
      return [...frames]
    },
    closed: closed.promise,
    leave: () => socket.terminate(),
  }
  return client
}

/** The id of the response that ended well. */
export function responseId(frames: readonly JsonObject[]): string {
  const last = frames.at(-1) as { readonly type: string; readonly response?: { readonly id?: string } }
  if (last.type !== "response.completed" || last.response?.id === undefined) {
    throw new Error(`the turn did not complete: ${JSON.stringify(last)}`)
  }
  return last.response.id
}
