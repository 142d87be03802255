import { afterEach, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { systemClock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { UpstreamRequest } from "#core/upstream.ts"
import { parseEgress } from "#transport/egress.ts"
import { makeSender, type Sender } from "#transport/sender.ts"
import { readTransportError, transportFaultOf } from "#transport/transport-error.ts"

import { type SocksProxy, type SocksProxyBehaviour, startSocksProxy } from "../../../support/socks-proxy.ts"
import { CHUNKED, deadPort, listen, OK } from "../sockets.ts"

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

async function upstreamWith(...args: Parameters<typeof listen>) {
  const server = await listen(...args)
  undo.push(server.close)
  return server
}

async function proxyWith(behaviour?: SocksProxyBehaviour): Promise<SocksProxy> {
  const proxy = await startSocksProxy(behaviour)
  undo.push(proxy.stop)
  return proxy
}

function senderOver(url: string): Sender {
  const sender = makeSender({ egress: parseEgress(url), clock: systemClock })
  undo.push(sender.close)
  return sender
}

const get = (url: string): UpstreamRequest => ({ method: "GET", url, headers: {}, egress: undefined })
const post = (url: string, body: string): UpstreamRequest => ({ ...get(url), method: "POST", body })
const never = new AbortController().signal

async function errorOf(promise: Promise<unknown>): Promise<GatewayError> {
  const outcome = await promise.catch((error: unknown) => error)
  if (outcome instanceof GatewayError) return outcome
  throw new Error("expected a GatewayError")
}

describe("through a SOCKS5 proxy", () => {
  test("socks5h leaves the name to the proxy, socks5 resolves it here", async () => {
    const proxy = await proxyWith({ namesLeadTo: "127.0.0.1" })
    const upstream = await upstreamWith(socket => socket.write(OK))
    const { port } = upstream
    expect((await senderOver(`socks5h://${proxy.host}`).send(get(`http://name.invalid:${port}/`), never)).status).toBe(
      200,
    )
    expect((await senderOver(`socks5://${proxy.host}`).send(get(`http://localhost:${port}/`), never)).status).toBe(200)
    expect(proxy.asked).toEqual([`name:name.invalid:${port}`, `ipv4:127.0.0.1:${port}`])
  })

  test("TLS is spoken with the upstream itself, and its connection is used again", async () => {
    const proxy = await proxyWith({ namesLeadTo: "127.0.0.1" })
    const folder = mkdtempSync(join(tmpdir(), "sluice-socks-"))
    undo.push(() => rmSync(folder, { recursive: true }))
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")]
    makeCertificate(key, cert)
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      tls: { key: Bun.file(key), cert: Bun.file(cert) },
      fetch: request => new Response(new URL(request.url).pathname),
    })
    undo.push(() => server.stop(true))
    // Which certificates are trusted is read at the start of a process.
    const script = `
      import { systemClock as clock } from "#core/clock.ts"
      import { makeSender } from "#transport/sender.ts"
      import { parseEgress } from "#transport/egress.ts"
      const { send } = makeSender({ egress: parseEgress("socks5h://${proxy.host}"), clock })
      for (const path of ["one", "two", "three"]) {
        const url = "https://localhost:${server.port}/" + path
        const reply = await send({ method: "GET", url, headers: {}, egress: undefined }, new AbortController().signal)
        console.log(await new Response(reply.body).text())
      }
      process.exit()`
    const child = Bun.spawn([process.execPath, "-e", script], {
      cwd: `${import.meta.dir}/../../../..`,
      env: { ...process.env, NODE_EXTRA_CA_CERTS: cert },
    })
    expect(await new Response(child.stdout).text()).toBe("/one\n/two\n/three\n")
    expect(proxy.asked).toEqual([`name:localhost:${server.port}`])
  })

  test("user name and password arrive as they were meant", async () => {
    const login = { user: "us@er", password: "p:ass/%wörd" }
    const proxy = await proxyWith({ login })
    const upstream = await upstreamWith(socket => socket.write(OK))
    const url = `socks5://us%40er:p%3Aass%2F%25w%C3%B6rd@${proxy.host}`
    expect((await senderOver(url).send(get(upstream.origin), never)).status).toBe(200)
    expect(proxy.logins).toEqual(["us@er:p:ass/%wörd"])
  })

  test("the upstream reads the request as a direct one: nothing of the bridge's secret reaches it", async () => {
    const proxy = await proxyWith()
    const upstream = await upstreamWith(socket => socket.write(OK))
    await senderOver(`socks5://${proxy.host}`).send(post(`${upstream.origin}/v1?x=1`, "{}"), never)
    const seen = upstream.received[0] ?? ""
    expect(seen).toStartWith("POST /v1?x=1 HTTP/1.1\r\n")
    expect(seen).toEndWith("\r\n\r\n{}")
    expect(seen.toLowerCase()).not.toContain("proxy-")
    expect(seen).toContain(`Host: 127.0.0.1:${upstream.port}`)
  })

  test("without TLS every request has a connection of its own, however much the upstream would like to keep it", async () => {
    const proxy = await proxyWith()
    const upstream = await upstreamWith(socket => socket.write(OK))
    const { send } = senderOver(`socks5://${proxy.host}`)
    for (let count = 0; count < 5; count++) {
      const reply = await send(post(upstream.origin, "{}"), never)
      expect(await new Response(reply.body).text()).toBe("ok")
    }
    expect(upstream.opened()).toBe(5)
    while (proxy.open() > 0) await Bun.sleep(1)
  })

  test("a body of several megabytes arrives whole in both directions", async () => {
    const proxy = await proxyWith()
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async request => new Response(await request.bytes()),
    })
    undo.push(() => server.stop(true))
    const body = "0123456789abcdef".repeat(500_000)
    const reply = await senderOver(`socks5://${proxy.host}`).send(post(`http://127.0.0.1:${server.port}/`, body), never)
    expect(Bun.hash(await new Response(reply.body).text())).toBe(Bun.hash(body))
  })

  test("an answer that breaks off rejects the read", async () => {
    const proxy = await proxyWith()
    const upstream = await upstreamWith(socket => {
      socket.write(CHUNKED, () => setTimeout(() => socket.resetAndDestroy(), 5))
    })
    const reply = await senderOver(`socks5://${proxy.host}`).send(get(upstream.origin), never)
    const failure = await new Response(reply.body).text().catch((error: unknown) => error)
    expect(readTransportError(failure, { phase: "body", proxied: true, client: never }).kind).toBe("upstream-protocol")
  })
})

describe("failures of the way", () => {
  test.each([
    [
      "a login that is refused",
      { login: { user: "ann", password: "other" } },
      "ann:top-secret@",
      "socks_login_refused",
      true,
    ],
    ["a login that is missing", { login: { user: "ann", password: "x" } }, "", "socks_login_required", true],
    ["a rule against the target", { reply: 2 }, "", "socks_not_allowed", true],
    ["a network without a way", { reply: 3 }, "", "socks_target_unreachable", false],
    ["a host without a way", { reply: 4 }, "", "socks_target_unreachable", false],
    ["a target that refuses", { reply: 5 }, "", "socks_target_unreachable", false],
    ["a proxy that fails", { reply: 1 }, "", "socks_proxy_failed", true],
    ["a reply nobody knows", { reply: 99 }, "", "socks_proxy_failed", true],
  ] as const)("%s is told apart", async (...row) => {
    const [, behaviour, login, code, egressAtFault] = row
    const proxy = await proxyWith(behaviour)
    for (const scheme of ["http", "https"]) {
      const error = await errorOf(
        senderOver(`socks5h://${login}${proxy.host}`).send(get(`${scheme}://upstream.test/`), never),
      )
      expect(error.kind).toBe("upstream-unavailable")
      expect(transportFaultOf(error)).toMatchObject({ phase: "connect", egressAtFault, code })
      expect(error.hint).toContain(`socks5h://${proxy.host}`)
      expect(Bun.inspect(error)).not.toMatch(/top-secret|ann/)
    }
  })

  test("a dead proxy is never replaced by the direct way", async () => {
    const upstream = await upstreamWith(socket => socket.write(OK))
    const error = await errorOf(senderOver(`socks5://127.0.0.1:${await deadPort()}`).send(get(upstream.origin), never))
    expect(transportFaultOf(error)).toMatchObject({ egressAtFault: true, code: "socks_proxy_unreachable" })
    expect(upstream.opened()).toBe(0)
  })

  test("a proxy that speaks another protocol is named as such", async () => {
    const web = await upstreamWith(socket => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))
    const error = await errorOf(senderOver(`socks5://127.0.0.1:${web.port}`).send(get("http://127.0.0.1:1/"), never))
    expect(transportFaultOf(error)).toMatchObject({ egressAtFault: true, code: "socks_not_spoken" })
  })

  test("a name that does not resolve here is not the proxy's fault", async () => {
    const proxy = await proxyWith()
    const error = await errorOf(senderOver(`socks5://${proxy.host}`).send(get("http://nowhere.invalid/"), never))
    expect(transportFaultOf(error)).toMatchObject({ egressAtFault: false, code: "socks_name_unknown" })
    expect(proxy.accepted()).toBe(0)
  })

  test("a client that leaves while the proxy is silent takes the connection with it", async () => {
    const proxy = await proxyWith({ silentAt: "request" })
    const client = new AbortController()
    const asking = senderOver(`socks5://${proxy.host}`).send(get("https://127.0.0.1:9/"), client.signal)
    while (proxy.asked.length === 0) await Bun.sleep(1)
    client.abort()
    expect((await errorOf(asking)).kind).toBe("cancelled")
    while (proxy.open() > 0) await Bun.sleep(1)
  })
})

describe("many streams", () => {
  test("200 streams at once, half of them aborted, leave no socket behind", async () => {
    const proxy = await proxyWith()
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      idleTimeout: 0,
      fetch: () => new Response(new ReadableStream({ type: "bytes", pull: makePull() })),
    })
    undo.push(() => server.stop(true))
    const sender = senderOver(`socks5://${proxy.host}`)
    const streams = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const client = new AbortController()
        const reply = await sender.send(get(`http://127.0.0.1:${server.port}/`), client.signal)
        const reader = new Response(reply.body).body?.getReader()
        await reader?.read()
        return { client, reader, isAborted: index % 2 === 0 }
      }),
    )
    expect(proxy.open()).toBe(200)
    const ends = await Promise.all(
      streams.map(async ({ client, reader, isAborted }) => {
        if (isAborted) client.abort()
        let bytes = 0
        for (;;) {
          const step = await reader?.read().catch(() => undefined)
          if (step === undefined) return "aborted"
          if (step.done) return bytes
          bytes += step.value.length
        }
      }),
    )
    expect(ends.filter(end => end === "aborted")).toHaveLength(100)
    expect(ends.filter(end => typeof end === "number" && end > 0)).toHaveLength(100)
    while (proxy.open() > 0) await Bun.sleep(1)
  })

  test("a client that does not read holds the upstream back", async () => {
    const proxy = await proxyWith()
    let sentBytes = 0
    const chunk = new Uint8Array(256 * 1024)
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      idleTimeout: 0,
      fetch: () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              sentBytes += chunk.length
              controller.enqueue(chunk)
            },
          }),
        ),
    })
    undo.push(() => server.stop(true))
    const client = new AbortController()
    const reply = await senderOver(`socks5://${proxy.host}`).send(
      get(`http://127.0.0.1:${server.port}/`),
      client.signal,
    )
    expect(reply.status).toBe(200)
    await settled(() => sentBytes)
    // Kernel buffers of three connections on loopback; without back-pressure this grows for ever.
    expect(sentBytes).toBeLessThan(64 * 1024 * 1024)
    client.abort()
  })
})

/** Resolves when a figure stays the same for a quarter of a second; never, when it does not. */
async function settled(read: () => number): Promise<void> {
  for (let before = -1; before !== read(); ) {
    before = read()
    await Bun.sleep(250)
  }
}

function makePull(): (controller: ReadableByteStreamController) => Promise<void> {
  let count = 0
  return async controller => {
    await Bun.sleep(2)
    controller.enqueue(new Uint8Array(1024))
    if (++count === 20) controller.close()
  }
}

function makeCertificate(key: string, cert: string): void {
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
  const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
  const made = Bun.spawnSync(["openssl", "req", "-x509", ...kind, ...name, "-keyout", key, "-out", cert])
  if (!made.success) throw new Error(made.stderr.toString())
}
