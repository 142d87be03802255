/** Ways out of WebSockets: through the account's proxy or not at all, whatever the environment says. */

import { afterEach, expect, setDefaultTimeout, test } from "bun:test"

import { type SocksProxy, startSocksProxy } from "../support/socks-proxy.ts"
import { listen } from "../unit/transport/sockets.ts"
import { type FaultGateway, type FaultOptions, startFaultGateway, turn } from "./fixture.ts"

setDefaultTimeout(20_000)

const started: { readonly stop: () => Promise<void> }[] = []

afterEach(async () => {
  for (const one of started.splice(0)) await one.stop()
})

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

/** Everything goes over the proxy, to a name that only it knows. */
async function startBehind(proxy: SocksProxy, env: Readonly<Record<string, string>>): Promise<FaultGateway> {
  const settings: Record<string, unknown> = {
    "upstream-transport": "ws",
    "proxy-url": `socks5h://${proxy.host}`,
  }
  return start({
    accounts: 1,
    env,
    settings,
    prepare: async (_folder, _control, upstream) => {
      const named = `http://upstream.invalid:${new URL(upstream).port}`
      settings["base-url"] = `${named}/backend-api/codex`
      settings["oauth"] = { issuer: named }
    },
  })
}

test("a turn's socket goes out over the configured SOCKS proxy", async () => {
  const proxy = await socks({ namesLeadTo: "127.0.0.1" })
  const gateway = await startBehind(proxy, {})
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  expect(gateway.turns().map(({ method }) => method)).toEqual(["GET", "WS"])
  expect(new Set(proxy.asked.map(asked => asked.replace(/\d+$/, "PORT")))).toEqual(
    new Set(["name:upstream.invalid:PORT"]),
  )
})

test("fault 73: with NO_PROXY in the environment, which Bun's WebSocket obeys, turns go over the proxy as requests", async () => {
  const proxy = await socks({ namesLeadTo: "127.0.0.1" })
  const gateway = await startBehind(proxy, { NO_PROXY: "*" })
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  expect(gateway.turns().map(({ method }) => method)).toEqual(["POST"])
})

test.each([
  ["NO_PROXY", { NO_PROXY: "*" }],
  ["no_proxy", { no_proxy: "127.0.0.1" }],
] as const)("fault 73: %s opens no socket around a proxy that refuses", async (_, env) => {
  const upstream = await listen(socket => socket.resetAndDestroy())
  started.push({ stop: upstream.close })
  const proxy = await socks({ reply: 2 })
  const gateway = await start({
    accounts: 1,
    env,
    settings: {
      "upstream-transport": "ws",
      "base-url": `${upstream.origin}/backend-api/codex`,
      oauth: { issuer: upstream.origin },
      "proxy-url": `socks5://${proxy.host}`,
    },
  })
  expect((await gateway.post("/v1/responses", turn())).status).toBeGreaterThanOrEqual(500)
  expect(upstream.opened()).toBe(0)
})
