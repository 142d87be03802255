/** A SOCKS5 proxy on loopback (RFC 1928, 1929) that keeps what it was asked for. */

import { connect, createServer, type Server, type Socket } from "node:net"

/** How the proxy is to behave; without anything it serves everybody. */
export type SocksProxyBehaviour = {
  /** Who may use it. */
  readonly login?: { readonly user: string; readonly password: string }
  /** Sent instead of connecting: the reply field of RFC 1928 §6. */
  readonly reply?: number
  /** `greeting`: accepts and says nothing; `request`: greets and never answers the request. */
  readonly silentAt?: "greeting" | "request"
  /** Where names lead, whatever the name; the port stays. */
  readonly namesLeadTo?: string
}

/** The proxy. */
export type SocksProxy = {
  readonly host: string
  readonly port: number
  /** `name:upstream.test:443`, `ipv4:127.0.0.1:80`, in order. */
  readonly asked: readonly string[]
  /** `user:password` of every login tried. */
  readonly logins: readonly string[]
  /** Connections accepted so far. */
  readonly accepted: () => number
  /** Connections open now. */
  readonly open: () => number
  readonly stop: () => Promise<void>
}

/** Starts the proxy. */
export async function startSocksProxy(behaviour: SocksProxyBehaviour = {}): Promise<SocksProxy> {
  const asked: string[] = []
  const logins: string[] = []
  const sockets = new Set<Socket>()
  let accepted = 0
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    accepted++
    sockets.add(socket)
    socket.on("error", () => undefined)
    socket.once("close", () => sockets.delete(socket))
    if (behaviour.silentAt !== "greeting") serve(socket, behaviour, { asked, logins })
    else socket.resume()
  })
  const port = await listenOn(server)
  return {
    host: `127.0.0.1:${port}`,
    port,
    asked,
    logins,
    accepted: () => accepted,
    open: () => sockets.size,
    stop: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise(resolve => {
        server.close(() => resolve())
      })
    },
  }
}

type Records = { readonly asked: string[]; readonly logins: string[] }

/** The client waits for each answer, so a chunk is a message; only the last may carry more, and clients do not do that. */
function serve(socket: Socket, behaviour: SocksProxyBehaviour, { asked, logins }: Records): void {
  const steps: ((message: Buffer) => unknown)[] = [
    (greeting: Buffer) => {
      const method = behaviour.login === undefined ? 0 : 2
      if (!greeting.subarray(2).includes(method)) return socket.end(Buffer.of(5, 0xff))
      if (method === 0) steps.shift()
      return socket.write(Buffer.of(5, method))
    },
    (login: Buffer) => {
      const userLength = login[1] ?? 0
      const user = login.toString("utf8", 2, 2 + userLength)
      const password = login.toString("utf8", 3 + userLength)
      logins.push(`${user}:${password}`)
      const isRight = user === behaviour.login?.user && password === behaviour.login.password
      return isRight ? socket.write(Buffer.of(1, 0)) : socket.end(Buffer.of(1, 1))
    },
    (request: Buffer) => {
      const target = readTarget(request)
      asked.push(`${target.type}:${target.host}:${target.port}`)
      if (behaviour.silentAt === "request") return
      if (behaviour.reply !== undefined) return socket.end(answerOf(behaviour.reply))
      const host = target.type === "name" ? (behaviour.namesLeadTo ?? target.host) : target.host
      socket.off("data", onData)
      socket.off("end", hangUp)
      return bringTogether(socket, host, target.port)
    },
  ]
  const onData = (chunk: Buffer) => {
    steps.shift()?.(chunk)
  }
  const hangUp = () => socket.end()
  socket.on("data", onData)
  socket.once("end", hangUp)
}

function bringTogether(socket: Socket, host: string, port: number): void {
  const far = connect({ host, port, allowHalfOpen: true, noDelay: true })
  far.once("connect", () => {
    socket.write(answerOf(0))
    socket.pipe(far)
    far.pipe(socket)
  })
  far.on("error", () => {
    if (far.connecting || far.bytesRead + far.bytesWritten === 0) socket.end(answerOf(5))
    else socket.resetAndDestroy()
  })
  far.once("close", () => {
    if (!far.readableEnded && far.bytesRead > 0) socket.resetAndDestroy()
  })
  socket.once("close", () => {
    if (socket.readableEnded) far.destroy()
    else far.resetAndDestroy()
  })
}

function readTarget(request: Buffer): { readonly type: string; readonly host: string; readonly port: number } {
  const port = request.readUInt16BE(request.length - 2)
  const address = request.subarray(4, request.length - 2)
  if (request[3] === 1) return { type: "ipv4", host: address.join("."), port }
  if (request[3] === 3) return { type: "name", host: address.toString("utf8", 1), port }
  return { type: "ipv6", host: address.toString("hex"), port }
}

function answerOf(reply: number): Buffer {
  return Buffer.of(5, reply, 0, 1, 0, 0, 0, 0, 0, 0)
}

function listenOn(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      if (address === null || typeof address === "string") reject(new Error("no port"))
      else resolve(address.port)
    })
  })
}
