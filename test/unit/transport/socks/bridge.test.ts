import { afterEach, describe, expect, test } from "bun:test"
import { once } from "node:events"
import { connect, createServer, type Server, type Socket } from "node:net"

import { readSocksAddress, type SocksAddress } from "#transport/socks/address.ts"
import { BRIDGE_LIMITS, type Bridge, type BridgeLimits, openBridge } from "#transport/socks/bridge.ts"

import { type SocksProxy, startSocksProxy } from "../../../support/socks-proxy.ts"
import { listen } from "../sockets.ts"

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

async function bridgeTo(proxy: SocksProxy, limits: Partial<BridgeLimits> = {}): Promise<Bridge> {
  const bridge = await openBridge(addressOf(`socks5://${proxy.host}`), { ...BRIDGE_LIMITS, ...limits })
  undo.push(bridge.close)
  return bridge
}

function addressOf(url: string): SocksAddress {
  const address = readSocksAddress(new URL(url), "", "")
  if ("problem" in address) throw new Error(address.problem)
  return address
}

async function proxyUp(): Promise<SocksProxy> {
  const proxy = await startSocksProxy()
  undo.push(proxy.stop)
  return proxy
}

/** A peer that says `text` to the bridge; `heard` is all it has been told so far. */
function speak(bridge: Bridge, text: string): { readonly socket: Socket; readonly heard: () => string } {
  const socket = connect({ host: "127.0.0.1", port: Number(new URL(bridge.url).port), allowHalfOpen: true })
  undo.push(() => socket.destroy())
  let heard = ""
  socket.on("error", () => undefined)
  socket.on("data", chunk => {
    heard += chunk.toString()
  })
  socket.write(text)
  return { socket, heard: () => heard }
}

/** Resolves when the other end has ended or cut the connection. */
function over(socket: Socket): Promise<void> {
  return new Promise(resolve => {
    socket.once("end", () => resolve())
    socket.once("close", () => resolve())
  })
}

const secretOf = (bridge: Bridge) => `Proxy-Authorization: ${bridge.headers["proxy-authorization"]}\r\n`

/** Accepts one connection at a time and hands it over. */
async function target(): Promise<{ readonly port: number; readonly next: () => Promise<Socket> }> {
  const waiting: ((socket: Socket) => void)[] = []
  const server: Server = createServer({ allowHalfOpen: true }, socket => {
    socket.on("error", () => undefined)
    undo.push(() => socket.destroy())
    waiting.shift()?.(socket)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  undo.push(() => server.close())
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("no port")
  return { port: address.port, next: () => new Promise(resolve => waiting.push(resolve)) }
}

async function tunnel(limits?: Partial<BridgeLimits>) {
  const bridge = await bridgeTo(await proxyUp(), limits)
  const { port, next } = await target()
  const arriving = next()
  const near = speak(bridge, `CONNECT 127.0.0.1:${port} HTTP/1.1\r\n${secretOf(bridge)}\r\n`)
  const far = await arriving
  while (!near.heard().endsWith("\r\n\r\n")) await once(near.socket, "data")
  return { bridge, near, far }
}

describe("who may use the bridge", () => {
  test.each([
    ["without the secret", "CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n", "407"],
    ["with another secret", "CONNECT 127.0.0.1:1 HTTP/1.1\r\nProxy-Authorization: Basic eA==\r\n\r\n", "407"],
    ["without the secret, in plain HTTP", "GET http://127.0.0.1:1/ HTTP/1.1\r\n\r\n", "407"],
    ["asking the bridge itself", "GET / HTTP/1.1\r\nSECRET\r\n", "400"],
    ["asking for another scheme", "GET ftp://h/ HTTP/1.1\r\nSECRET\r\n", "400"],
    ["with a target that is none", "CONNECT 127.0.0.1 HTTP/1.1\r\nSECRET\r\n", "400"],
    ["with a body that has no length", "POST http://h/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\nSECRET\r\n", "400"],
    ["with a head that does not end", `GET http://h/ HTTP/1.1\r\nX: ${"x".repeat(300_000)}`, "400"],
  ])("a peer %s is refused and the proxy never hears of it", async (_, text, status) => {
    const proxy = await proxyUp()
    const bridge = await bridgeTo(proxy)
    const { socket, heard } = speak(bridge, text.replace("SECRET", secretOf(bridge)))
    await over(socket)
    // A peer that is still talking is cut off before it can read the answer.
    if (!socket.destroyed) expect(heard()).toStartWith(`HTTP/1.1 ${status} `)
    expect(proxy.accepted()).toBe(0)
    while (bridge.openCount() > 0) await Bun.sleep(1)
  })

  test("two starts have two secrets", async () => {
    const proxy = await proxyUp()
    const [one, two] = [await bridgeTo(proxy), await bridgeTo(proxy)]
    expect(one.headers).not.toEqual(two.headers)
    expect(one.mark).not.toBe(two.mark)
  })

  test("it listens on the loopback address only", async () => {
    expect((await bridgeTo(await proxyUp())).url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  })

  test("closed, it takes no new connections", async () => {
    const bridge = await bridgeTo(await proxyUp())
    bridge.close()
    const { socket } = speak(bridge, "")
    const [error] = await once(socket, "error")
    expect(error).toMatchObject({ code: "ECONNREFUSED" })
  })

  test("a second request on a plain connection goes nowhere, secret and all", async () => {
    const proxy = await proxyUp()
    const bridge = await bridgeTo(proxy)
    const upstream = await listen(() => undefined)
    undo.push(upstream.close)
    const first = `POST http://127.0.0.1:${upstream.port}/one HTTP/1.1\r\nContent-Length: 2\r\n${secretOf(bridge)}\r\n{}`
    const { socket } = speak(bridge, first)
    while (!upstream.received[0]?.endsWith("{}")) await Bun.sleep(1)
    socket.write(`GET http://127.0.0.1:${upstream.port}/two HTTP/1.1\r\n${secretOf(bridge)}\r\n`)
    await over(socket)
    expect(upstream.received).toHaveLength(1)
    expect(upstream.received[0]).toEndWith("\r\n\r\n{}")
  })
})

describe("what passes", () => {
  test("a half-close reaches the other end, which may still answer", async () => {
    const { near, far } = await tunnel()
    far.resume()
    near.socket.end("last words")
    await once(far, "end")
    far.end("and the answer")
    await once(near.socket, "end")
    expect(near.heard()).toEndWith("and the answer")
  })

  test("a reset of the target reaches our side as a reset", async () => {
    const { near, far } = await tunnel()
    const failing = once(near.socket, "error")
    far.write("half an ans")
    far.resetAndDestroy()
    // `once` resolves with the error for the event "error".
    expect((await failing)[0]).toMatchObject({ code: "ECONNRESET" })
  })

  test("a reset on our side reaches the target", async () => {
    const { near, far } = await tunnel()
    far.resume()
    const failing = once(far, "error")
    near.socket.resetAndDestroy()
    expect((await failing)[0]).toMatchObject({ code: "ECONNRESET" })
  })

  test("a target that does not read holds our side back", async () => {
    const { near, far } = await tunnel()
    far.pause()
    const chunk = Buffer.alloc(1024 * 1024)
    let takenBytes = 0
    const offer = () => {
      near.socket.write(chunk, error => {
        if (error) return
        takenBytes += chunk.length
        offer()
      })
    }
    offer()
    for (let before = -1; before !== takenBytes; ) {
      before = takenBytes
      await Bun.sleep(250)
    }
    // Kernel buffers of three connections on loopback; a bridge that keeps what it cannot pass on would take all there is.
    expect(takenBytes).toBeLessThan(64 * 1024 * 1024)
    near.socket.destroy()
  })

  test("after a half-close, a target that says nothing more is closed", async () => {
    const { bridge, near, far } = await tunnel({ lingerMs: 20 })
    far.resume()
    near.socket.end()
    await once(near.socket, "close")
    while (bridge.openCount() > 0) await Bun.sleep(1)
    expect(bridge.openCount()).toBe(0)
  })
})
