/** Servers on loopback that misbehave to order. */

import { createServer, type Server, type Socket } from "node:net"

export type RawServer = {
  readonly port: number
  readonly origin: string
  /** Connections accepted so far. */
  readonly opened: () => number
  /** What arrived, one text a connection. */
  readonly received: readonly string[]
  readonly close: () => Promise<void>
}

/** Listens on 127.0.0.1; `onRequest` runs for every chunk that arrives. */
export async function listen(onRequest: (socket: Socket, text: string) => void): Promise<RawServer> {
  const received: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    const index = received.push("") - 1
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
    // A peer that resets is part of the tests.
    socket.on("error", () => undefined)
    socket.on("data", chunk => {
      received[index] += chunk.toString()
      onRequest(socket, chunk.toString())
    })
  })
  const port = await portOf(server)
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    opened: () => received.length,
    received,
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise(resolve => {
        server.close(() => resolve())
      })
    },
  }
}

/** A port on which nobody listens. */
export async function deadPort(): Promise<number> {
  const server = createServer()
  const port = await portOf(server)
  await new Promise<void>(resolve => {
    server.close(() => resolve())
  })
  return port
}

function portOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      if (address === null || typeof address === "string") reject(new Error("no port"))
      else resolve(address.port)
    })
  })
}

export const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
export const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
