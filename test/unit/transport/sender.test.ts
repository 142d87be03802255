import { afterEach, describe, expect, test } from "bun:test"

import { systemClock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { UpstreamRequest } from "#core/upstream.ts"
import { DIRECT_EGRESS, type Egress, parseEgress } from "#transport/egress.ts"
import { makeSender } from "#transport/sender.ts"
import { readTransportError, transportFaultOf } from "#transport/transport-error.ts"

import { CHUNKED, deadPort, listen, OK, type RawServer } from "./sockets.ts"

const open: RawServer[] = []
const serve = async (...args: Parameters<typeof listen>) => {
  const server = await listen(...args)
  open.push(server)
  return server
}

afterEach(async () => {
  await Promise.all(open.splice(0).map(server => server.close()))
})

const sender = (egress: Egress = DIRECT_EGRESS) => makeSender({ egress, clock: systemClock })
const post = (url: string): UpstreamRequest => ({
  method: "POST",
  url,
  headers: { "content-type": "application/json" },
  body: "{}",
  egress: undefined,
})
const never = new AbortController().signal

async function errorOf(promise: Promise<unknown>): Promise<GatewayError> {
  const outcome = await promise.catch((error: unknown) => error)
  if (outcome instanceof GatewayError) return outcome
  throw new Error("expected a GatewayError")
}

describe("sender", () => {
  test("sends body and headers and returns status, headers and body", async () => {
    const server = await serve(socket =>
      socket.write("HTTP/1.1 201 Created\r\nX-Answer: yes\r\nContent-Length: 2\r\n\r\nok"),
    )
    const reply = await sender().send(post(`${server.origin}/responses`), never)
    expect(reply.status).toBe(201)
    expect(reply.headers.get("x-answer")).toBe("yes")
    expect(await new Response(reply.body).text()).toBe("ok")
    expect(server.received[0]).toStartWith("POST /responses HTTP/1.1\r\n")
    expect(server.received[0]).toEndWith("\r\n\r\n{}")
  })

  test("requests share connections", async () => {
    const server = await serve(socket => socket.write(OK))
    const { send } = sender()
    for (let turn = 0; turn < 5; turn++) await new Response((await send(post(server.origin), never)).body).text()
    expect(server.opened()).toBe(1)
  })

  test("redirects are the caller's business", async () => {
    const server = await serve(socket =>
      socket.write("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
    )
    expect((await sender().send(post(server.origin), never)).status).toBe(302)
  })

  test("proxies of the environment are ignored on the direct way", async () => {
    const server = await serve(socket => socket.write(OK))
    const script = `
      import { systemClock as clock } from "#core/clock.ts"
      import { makeSender } from "#transport/sender.ts"
      import { DIRECT_EGRESS as egress } from "#transport/egress.ts"
      const { send } = makeSender({ egress, clock })
      const reply = await send({ method: "GET", url: "${server.origin}", headers: {}, egress: undefined }, new AbortController().signal)
      console.log(reply.status)
      process.exit()`
    const proxy = `http://127.0.0.1:${await deadPort()}`
    const child = Bun.spawn([process.execPath, "-e", script], {
      cwd: `${import.meta.dir}/../../..`,
      env: { ...process.env, HTTP_PROXY: proxy, http_proxy: proxy, ALL_PROXY: proxy },
    })
    expect((await new Response(child.stdout).text()).trim()).toBe("200")
  })
})

describe("failures on the way", () => {
  test("a refused connection has provably not reached the upstream", async () => {
    const error = await errorOf(sender().send(post(`http://127.0.0.1:${await deadPort()}/`), never))
    expect(error.kind).toBe("upstream-unavailable")
    expect(transportFaultOf(error)).toMatchObject({ phase: "connect", code: "ECONNREFUSED", egressAtFault: false })
  })

  test("a name that does not resolve has provably not reached the upstream", async () => {
    const error = await errorOf(sender().send(post("http://nowhere.invalid/"), never))
    expect(transportFaultOf(error)).toMatchObject({ phase: "connect", egressAtFault: false })
  })

  test("a server that does not speak TLS has not been sent the request", async () => {
    const server = await serve(socket => socket.end("SSH-2.0-x\r\n"))
    const error = await errorOf(sender().send(post(`https://127.0.0.1:${server.port}/`), never))
    expect(transportFaultOf(error)).toMatchObject({ phase: "connect", code: "EPROTO" })
  })

  test.each([
    ["reset", (socket: { resetAndDestroy: () => void }) => socket.resetAndDestroy()],
    ["closed", (socket: { end: () => void }) => socket.end()],
  ] as const)("a connection %s after the request may have been received", async (_, act) => {
    const server = await serve(socket => {
      act(socket)
    })
    const error = await errorOf(sender().send(post(server.origin), never))
    expect(error.kind).toBe("upstream-unavailable")
    expect(transportFaultOf(error)).toMatchObject({ phase: "headers", code: "ECONNRESET" })
    expect(server.opened()).toBe(1)
  })

  test("an answer that breaks off rejects the read, also when the break looks like an orderly end", async () => {
    for (const act of ["resetAndDestroy", "end"] as const) {
      const server = await serve(socket => {
        socket.write(CHUNKED, () => setTimeout(() => socket[act](), 5))
      })
      const reply = await sender().send(post(server.origin), never)
      const failure = await new Response(reply.body).text().catch((error: unknown) => error)
      const error = readTransportError(failure, { phase: "body", proxied: false, client: never })
      expect(error.kind).toBe("upstream-protocol")
      expect(transportFaultOf(error)?.phase).toBe("body")
    }
  })

  test("a client that leaves ends the upstream request", async () => {
    const closed = Promise.withResolvers<void>()
    const client = new AbortController()
    const server = await serve(socket => {
      socket.on("close", () => closed.resolve())
      client.abort()
    })
    const error = await errorOf(sender().send(post(server.origin), client.signal))
    expect(error.kind).toBe("cancelled")
    await closed.promise
  })

  test("an abort with a reason of the catalogue is quoted", async () => {
    const reason = new GatewayError("timeout", "No account answered in time.")
    const error = await errorOf(sender().send(post("http://127.0.0.1:1/"), AbortSignal.abort(reason)))
    expect(error).toBe(reason)
  })
})

describe("through a proxy", () => {
  const refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"

  test("the whole request goes to the proxy, also for hosts in NO_PROXY, with the password as it was meant", async () => {
    const proxy = await serve(socket => socket.write(OK))
    const egress = parseEgress(`http://us%40er:p%3Aass%2F%25w%C3%B6rd@127.0.0.1:${proxy.port}`)
    process.env["NO_PROXY"] = "127.0.0.1,upstream.test"
    try {
      const reply = await sender(egress).send(post("http://upstream.test/v1"), never)
      expect(reply.status).toBe(200)
    } finally {
      delete process.env["NO_PROXY"]
    }
    const credentials = Buffer.from("us@er:p:ass/%wörd").toString("base64")
    expect(proxy.received[0]).toStartWith("POST http://upstream.test/v1 HTTP/1.1\r\n")
    expect(proxy.received[0]?.toLowerCase()).toContain(`proxy-authorization: basic ${credentials.toLowerCase()}`)
  })

  test.each(["http", "https"])("a refused tunnel is the proxy's fault (%s)", async scheme => {
    const proxy = await serve(socket => socket.end(refusal))
    const egress = parseEgress(`http://127.0.0.1:${proxy.port}`)
    const error = await errorOf(sender(egress).send(post(`${scheme}://upstream.test/`), never))
    expect(error.kind).toBe("upstream-unavailable")
    expect(transportFaultOf(error)).toMatchObject({ phase: "connect", egressAtFault: true })
  })

  test("a dead proxy is never replaced by the direct way", async () => {
    const upstream = await serve(socket => socket.write(OK))
    const egress = parseEgress(`http://127.0.0.1:${await deadPort()}`)
    const error = await errorOf(sender(egress).send(post(upstream.origin), never))
    expect(transportFaultOf(error)).toMatchObject({ phase: "connect", egressAtFault: true })
    expect(upstream.opened()).toBe(0)
  })
})

describe("reading a proxy URL", () => {
  test.each([undefined, "", "direct"])("%p is the direct way", value => {
    expect(parseEgress(value)).toBe(DIRECT_EGRESS)
  })

  test.each([
    "socks4://127.0.0.1:1080",
    "socks://127.0.0.1:1080",
    "socks5://",
    "socks5://:password-alone@h:1",
    `socks5://${"u".repeat(256)}:p@h:1`,
    `socks5://u:${"p".repeat(256)}@h:1`,
    "ftp://x",
    "not a url",
    "http://a:%@h:1",
  ])("%s is refused, not ignored", value => {
    expect(() => parseEgress(value)).toThrow(GatewayError)
  })

  test("neither the id nor the URL shows the credentials, but they tell pools apart", () => {
    const one = parseEgress("http://user:secret@proxy.test:8080")
    const two = parseEgress("http://user:other@proxy.test:8080")
    expect(one.id).not.toBe(two.id)
    if (one.type !== "proxy") throw new Error("expected a proxy")
    expect(`${one.id} ${one.url}`).not.toContain("secret")
  })

  test("a SOCKS address is shown without its credentials, and they tell pools apart", () => {
    const one = parseEgress("socks5h://user:secret@proxy.test")
    const two = parseEgress("socks5h://user:other@proxy.test")
    if (one.type !== "socks") throw new Error("expected a SOCKS proxy")
    expect(one.id).not.toBe(two.id)
    expect(one.address).toMatchObject({ host: "proxy.test", port: 1080, shown: "socks5h://proxy.test" })
    expect(one.id).not.toContain("secret")
  })

  test("no refusal repeats the password", () => {
    for (const value of [
      "socks4://u:secret@h:1",
      "socks5://u:secret%@h:1",
      `socks5://u:${"secret".repeat(50)}@h:1`,
      "http://u:secret%@h:1",
    ]) {
      try {
        parseEgress(value)
        throw new Error("expected a refusal")
      } catch (error) {
        expect(Bun.inspect(error)).not.toContain("secret")
      }
    }
  })
})
