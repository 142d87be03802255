/** A client that keeps one connection for many requests and never sends one twice: whatever a server does to it shows. */

import { connect, type Socket } from "node:net"

/** One answer; `cut` = the connection ended before it was whole. */
export type KeptAnswer = { readonly status: number; readonly body: string } | "cut"

/** The client. One request at a time. */
export type KeepAliveClient = {
  readonly post: (path: string, body: unknown, headers: Readonly<Record<string, string>>) => Promise<KeptAnswer>
  /** Connections it has opened. */
  readonly connections: () => number
  readonly close: () => void
}

/** Makes one; a connection that the server has closed between two requests is opened anew, as every client does. */
export function keepAliveClient(origin: string): KeepAliveClient {
  const { hostname, port, host } = new URL(origin)
  let socket: Socket | undefined
  let opened = 0
  let received = Buffer.alloc(0)
  let changed = () => {}

  function open(): Socket {
    opened += 1
    const made = connect({ host: hostname, port: Number(port) })
    made.on("data", piece => {
      received = Buffer.concat([received, Buffer.from(piece)])
      changed()
    })
    made.on("error", () => {})
    // The server's half is enough: it will answer nothing more.
    for (const event of ["end", "close"] as const) {
      made.on(event, () => {
        if (socket === made) socket = undefined
        changed()
      })
    }
    return made
  }

  function leave(used: Socket): void {
    if (socket === used) socket = undefined
    used.destroy()
  }

  return {
    connections: () => opened,
    close: () => socket?.destroy(),
    post: async (path, body, headers) => {
      const text = JSON.stringify(body)
      const lines = Object.entries({
        host,
        "content-type": "application/json",
        "content-length": String(Buffer.byteLength(text)),
        ...headers,
      }).map(([name, value]) => `${name}: ${value}\r\n`)
      received = Buffer.alloc(0)
      const used = socket ?? open()
      socket = used
      used.write(`POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n${text}`)
      for (;;) {
        const answer = readWhole(received)
        if (answer?.isLast === true) leave(used)
        if (answer !== undefined) return { status: answer.status, body: answer.body }
        if (socket !== used) return "cut"
        await new Promise<void>(resolve => {
          changed = resolve
        })
      }
    },
  }
}

type Whole = { readonly status: number; readonly body: string; readonly isLast: boolean }

/** Undefined: it goes on. */
function readWhole(raw: Buffer): Whole | undefined {
  const end = raw.indexOf("\r\n\r\n")
  if (end < 0) return undefined
  const head = raw.subarray(0, end).toString("latin1")
  const rest = raw.subarray(end + 4)
  const status = Number(head.split(" ")[1])
  const isLast = /^connection: close\r?$/im.test(head)
  const length = /^content-length: (\d+)\r?$/im.exec(head)?.[1]
  if (length !== undefined) {
    if (rest.length < Number(length)) return undefined
    return { status, body: rest.subarray(0, Number(length)).toString(), isLast }
  }
  return rest.toString("latin1").endsWith("0\r\n\r\n") ? { status, body: rest.toString(), isLast } : undefined
}
