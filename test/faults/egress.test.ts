/** Ways out fail closed: whatever the environment says, nothing goes to the upstream around a proxy. Faults 72, 73 and 76. */

import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test"
import { rmSync } from "node:fs"
import { join } from "node:path"

import { freePort } from "../support/binary.ts"
import { type SocksProxy, startSocksProxy } from "../support/socks-proxy.ts"
import { listen, type RawServer } from "../unit/transport/sockets.ts"
import { type FaultGateway, type FaultOptions, startFaultGateway, turn, until } from "./fixture.ts"

setDefaultTimeout(20_000)

const started: { readonly stop: () => Promise<void> }[] = []

afterEach(async () => {
  for (const one of started.splice(0)) await one.stop()
})

/** Counts connections and answers none of them. */
async function trap(): Promise<RawServer> {
  const server = await listen(socket => socket.resetAndDestroy())
  started.push({ stop: server.close })
  return server
}

async function socks(behaviour: Parameters<typeof startSocksProxy>[0]): Promise<SocksProxy> {
  const proxy = await startSocksProxy(behaviour)
  started.push(proxy)
  return proxy
}

async function start(options: FaultOptions): Promise<FaultGateway> {
  const gateway = await startFaultGateway(options)
  started.push(gateway)
  return gateway
}

/** Everything that may lead a request around its proxy: `decoy` is a proxy of the environment that must stay unused. */
function temptations(decoy: RawServer): Readonly<Record<string, string>> {
  const http = `http://127.0.0.1:${decoy.port}`
  const all = `socks5://127.0.0.1:${decoy.port}`
  return { NO_PROXY: "*", no_proxy: "*", ALL_PROXY: all, all_proxy: all, HTTP_PROXY: http, http_proxy: http }
}

/** Has the gateway do everything that goes upstream: turns, quota, refresh, model lists, sign-in. Keep-warm does by itself. */
async function doEverything(gateway: FaultGateway): Promise<void> {
  await gateway.post("/v1/responses", turn())
  await gateway.post("/v1/responses", turn({ stream: true }))
  await gateway.post("/check-quota", {})
  await gateway.post("/refresh", {})
  await gateway.get("/v1/models")
  await gateway.post("/api/admin/oauth/device/start", {})
}

const PATHS = [
  "/backend-api/codex/responses",
  "/backend-api/codex/models",
  "/backend-api/wham/usage",
  "/oauth/token",
  "/api/accounts/deviceauth/usercode",
  "/favicon.ico",
]

describe("fault 73: a proxy for everything, whatever the environment says", () => {
  test("that breaks off every request is knocked at by all of them, and the upstream by none", async () => {
    const [upstream, decoy, proxy] = [await trap(), await trap(), await trap()]
    const gateway = await start({
      accounts: 1,
      env: temptations(decoy),
      settings: everythingTo(upstream, `http://127.0.0.1:${proxy.port}`),
    })
    await doEverything(gateway)
    const asked = () => new Set(proxy.received.map(text => URL.parse(text.split(" ")[1] ?? "")?.pathname))
    await until("everything was tried", () => PATHS.every(path => asked().has(path)))
    expect([upstream.opened(), decoy.opened()]).toEqual([0, 0])
  })

  test.each(["socks5", "socks5h"])("%s that refuses the upstream is asked for it, and nobody else is", async scheme => {
    const [upstream, decoy, proxy] = [await trap(), await trap(), await socks({ reply: 2 })]
    const gateway = await start({
      accounts: 1,
      env: temptations(decoy),
      settings: everythingTo(upstream, `${scheme}://${proxy.host}`),
    })
    await doEverything(gateway)
    expect(proxy.asked.length).toBeGreaterThanOrEqual(PATHS.length)
    expect(new Set(proxy.asked)).toEqual(new Set([`ipv4:127.0.0.1:${upstream.port}`]))
    expect([upstream.opened(), decoy.opened()]).toEqual([0, 0])
  })

  test.each(["socks5", "socks5h", "http", "https"])("%s on a dead port leaves the upstream alone", async scheme => {
    const [upstream, decoy] = [await trap(), await trap()]
    const gateway = await start({
      accounts: 1,
      env: temptations(decoy),
      settings: everythingTo(upstream, `${scheme}://127.0.0.1:${freePort()}`),
    })
    await doEverything(gateway)
    expect((await gateway.post("/v1/responses", turn())).status).toBeGreaterThanOrEqual(500)
    expect([upstream.opened(), decoy.opened()]).toEqual([0, 0])
  })

  test("that works carries everything, to a name only it knows", async () => {
    const decoy = await trap()
    const proxy = await socks({ namesLeadTo: "127.0.0.1" })
    const settings: Record<string, unknown> = { "proxy-url": `socks5h://${proxy.host}`, "keepalive-interval": 60 }
    const gateway = await start({
      accounts: 1,
      env: temptations(decoy),
      settings,
      prepare: async (_folder, _control, upstream) => {
        const named = `http://upstream.invalid:${new URL(upstream).port}`
        settings["base-url"] = `${named}/backend-api/codex`
        settings["oauth"] = { issuer: named }
      },
    })
    await doEverything(gateway)
    expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
    const paths = () => new Set(gateway.control.recorded().map(request => request.path))
    await until("everything came", () => PATHS.every(path => path === "/favicon.ico" || paths().has(path)))
    expect(new Set(proxy.asked.map(asked => asked.replace(/\d+$/, "PORT")))).toEqual(
      new Set(["name:upstream.invalid:PORT"]),
    )
    expect(decoy.opened()).toBe(0)
  })
})

describe("fault 73: a proxy that the configuration gives one account", () => {
  test.each(["dead", "refusing"])(
    "that is %s keeps the account in, and the environment changes nothing",
    async kind => {
      const [upstream, decoy, proxy] = [await trap(), await trap(), await socks({ reply: 2 })]
      const port = kind === "dead" ? freePort() : proxy.port
      const gateway = await start({
        accounts: 1,
        env: temptations(decoy),
        settings: {
          ...everythingTo(upstream, ""),
          "keepalive-interval": 0,
          "credential-pool": {
            codex: [{ id: "main", token_file: "pool/main.json", proxy_url: `socks5://127.0.0.1:${port}` }],
          },
        },
        prepare: async (folder, control) => {
          rmSync(join(folder, "auths"), { recursive: true })
          await Bun.write(join(folder, "auths", "pool", "main.json"), JSON.stringify(control.accountFile("account-1")))
        },
      })
      await gateway.post("/v1/responses", turn())
      await gateway.post("/check-quota", {})
      await gateway.post("/refresh", {})
      await gateway.get("/v1/models")
      if (kind === "refusing") expect(proxy.asked.length).toBeGreaterThanOrEqual(3)
      expect([upstream.opened(), decoy.opened()]).toEqual([0, 0])
    },
  )
})

/** Sends everything to a place of its own, over one proxy. */
function everythingTo(upstream: RawServer, proxyUrl: string): Readonly<Record<string, unknown>> {
  return {
    "base-url": `${upstream.origin}/backend-api/codex`,
    oauth: { issuer: upstream.origin },
    "proxy-url": proxyUrl,
    "keepalive-interval": 60,
  }
}
