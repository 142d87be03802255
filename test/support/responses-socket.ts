/** A plain WebSocket client of the Responses API, for tests that look at single frames. */

import type { JsonObject } from "#core/json.ts"

/** A socket that is open. */
export type ResponsesSocket = {
  readonly send: (frame: JsonObject | string) => void
  /** Resolves with the next frame; rejects when the socket closes first. */
  readonly next: () => Promise<JsonObject>
  /** Sends a request and resolves with all frames up to its end. */
  readonly ask: (frame: JsonObject) => Promise<readonly JsonObject[]>
  /** Resolves when the socket is closed, from either side. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  readonly close: () => void
}

const ENDS = new Set<unknown>(["response.completed", "response.incomplete", "response.failed", "error"])

// The browser's types, which are in force here, do not know the options of Bun's constructor.
const Dialer = WebSocket as unknown as new (url: string, options: Bun.WebSocketOptions) => WebSocket

/** Begins a handshake with headers, which browsers cannot send. */
export function dial(
  url: string,
  headers: Readonly<Record<string, string>>,
  protocols: readonly string[] = [],
): WebSocket {
  return new Dialer(url.replace(/^http/, "ws"), { headers, protocols: [...protocols] })
}

/** Opens a socket. Rejects when the handshake is refused. */
export async function openResponsesSocket(
  url: string,
  headers: Readonly<Record<string, string>>,
  protocols: readonly string[] = [],
): Promise<ResponsesSocket> {
  const socket = dial(url, headers, protocols)
  const frames: JsonObject[] = []
  const waiting: { resolve: (frame: JsonObject) => void; reject: (error: Error) => void }[] = []
  const closed = Promise.withResolvers<{ code: number; reason: string }>()
  const opened = Promise.withResolvers<void>()
  socket.onopen = () => opened.resolve()
  socket.onerror = () => opened.reject(new Error("the handshake was refused"))
  socket.onmessage = ({ data }) => {
    // Every frame of this protocol is a JSON object; another one fails the test that reads it.
    const frame = JSON.parse(String(data)) as JsonObject
    const first = waiting.shift()
    if (first === undefined) frames.push(frame)
    else first.resolve(frame)
  }
  socket.onclose = ({ code, reason }) => {
    closed.resolve({ code, reason })
    for (const { reject } of waiting.splice(0)) reject(new Error(`closed: ${code} ${reason}`))
  }
  await opened.promise
  const send = (frame: JsonObject | string) => socket.send(typeof frame === "string" ? frame : JSON.stringify(frame))
  const next = () => {
    const ready = frames.shift()
    if (ready !== undefined) return Promise.resolve(ready)
    return new Promise<JsonObject>((resolve, reject) => waiting.push({ resolve, reject }))
  }
  const ask = async (frame: JsonObject) => {
    send(frame)
    const answer: JsonObject[] = []
    for (;;) {
      const one = await next()
      answer.push(one)
      if (ENDS.has(one["type"])) return answer
    }
  }
  return { send, next, ask, closed: closed.promise, close: () => socket.close() }
}
