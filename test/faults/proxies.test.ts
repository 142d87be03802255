/** Operators' proxies fail closed: an account with one goes out through it and no other way. Faults 72, 73, 74 and 76. */

import { Database } from "bun:sqlite"
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test"
import { join } from "node:path"

import { freePort } from "../support/binary.ts"
import { type SocksProxyBehaviour, startSocksProxy } from "../support/socks-proxy.ts"
import { listen, type RawServer } from "../unit/transport/sockets.ts"
import { type FaultGateway, type FaultOptions, startFaultGateway, turn, until } from "./fixture.ts"

setDefaultTimeout(30_000)

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

async function socks(behaviour: SocksProxyBehaviour) {
  const proxy = await startSocksProxy(behaviour)
  started.push(proxy)
  return proxy
}

async function start(options: FaultOptions): Promise<FaultGateway> {
  const gateway = await startFaultGateway(options)
  started.push(gateway)
  return gateway
}

const ROOT = "/api/admin/proxies"

/** Everything of an account that goes upstream: turns, quota, refresh, model lists. */
async function useAccount(gateway: FaultGateway): Promise<void> {
  await gateway.post("/v1/responses", turn())
  await gateway.post("/v1/responses", turn({ stream: true }))
  await gateway.post("/check-quota", {})
  await gateway.post("/refresh", {})
  await gateway.get("/v1/models")
}

const PATHS = ["/backend-api/codex/responses", "/backend-api/codex/models", "/backend-api/wham/usage", "/oauth/token"]

const pathsAt = (server: RawServer) =>
  new Set(server.received.map(text => URL.parse(text.split(" ")[1] ?? "")?.pathname))

/** A pool of one paused account, so that nothing of it goes out before it is assigned. */
const PAUSED: Pick<FaultOptions, "accounts" | "prepare"> = {
  accounts: 1,
  prepare: async (folder, control) => {
    const file = { ...control.accountFile("account-1"), disabled: true }
    await Bun.write(join(folder, "auths", "account-1.json"), JSON.stringify(file))
  },
}

const everythingTo = (upstream: RawServer, proxyUrl: string) => ({
  "base-url": `${upstream.origin}/backend-api/codex`,
  oauth: { issuer: upstream.origin },
  "proxy-url": proxyUrl,
  // What is counted is what accounts send.
  proxies: { "check-interval": 0 },
})

/** Adds the proxy, assigns the account to it, and lets the account serve. */
async function assignTo(gateway: FaultGateway, url: string): Promise<void> {
  await gateway.post(ROOT, { url, name: "own" })
  await gateway.post(`${ROOT}/assign`, { accounts: "all", to: "own" })
  await gateway.post("/api/admin/accounts/batch", { action: "enable", ids: "all" })
}

/** Stops the gateway, changes its database, and starts it again. */
async function meddle(gateway: FaultGateway, sql: string): Promise<void> {
  await gateway.process().stop()
  const database = new Database(join(gateway.folder, "data", "core.db"))
  expect(database.run(sql).changes).toBe(1)
  database.close()
  await gateway.startAgain()
}

describe("fault 72: an account whose proxy", () => {
  const WAYS_TO_LOSE_IT: readonly (readonly [string, string, (gateway: FaultGateway) => Promise<unknown>])[] = [
    ["is disabled", "proxy-disabled", gateway => gateway.post(`${ROOT}/own/disable`, {})],
    [
      "was removed",
      "proxy-missing",
      gateway => gateway.post(`${ROOT}/batch`, { action: "delete", ids: ["own"], confirm: true }),
    ],
    [
      "has an address that cannot be read",
      "proxy-unusable",
      gateway => meddle(gateway, "update sealed_values set secret_json = 'v1:damaged' where name like 'proxies/%'"),
    ],
    [
      "is named by a choice that nobody can read",
      "proxy-missing",
      gateway =>
        meddle(gateway, `update account_settings set settings_json = '{"paused":false,"egress":{"mode":"by-moon"}}'`),
    ],
  ]

  test.each(WAYS_TO_LOSE_IT)("%s sends nothing any way, and says why", async (_, reason, lose) => {
    const [upstream, standard, own] = [await trap(), await trap(), await trap()]
    const gateway = await start({ ...PAUSED, settings: everythingTo(upstream, `http://127.0.0.1:${standard.port}`) })
    await assignTo(gateway, `http://127.0.0.1:${own.port}`)
    await useAccount(gateway)
    await until("everything went through its own proxy", () => PATHS.every(path => pathsAt(own).has(path)))
    await lose(gateway)
    const before = own.opened()
    await useAccount(gateway)
    await gateway.post("/api/admin/accounts/batch", { action: "test", ids: "all" })
    await gateway.post("/api/admin/accounts/batch", { action: "refresh", ids: "all" })
    const [account] = (await gateway.get("/api/admin/accounts")).json()["accounts"] as unknown as { reason: string }[]
    expect(account?.reason).toBe(reason)
    expect((await gateway.post("/v1/responses", turn())).status).toBe(503)
    expect({ own: own.opened() - before, direct: upstream.opened() }).toEqual({ own: 0, direct: 0 })
    // Only what belongs to no account goes the standard way.
    expect(PATHS.filter(path => pathsAt(standard).has(path))).toEqual([])
  })
})

describe("fault 73: with a dead proxy, NO_PROXY and ALL_PROXY in the environment", () => {
  const KINDS = ["http", "https", "socks5", "socks5h"].flatMap(scheme =>
    ["dead", "refusing"].map(kind => [scheme, kind] as const),
  )

  test.each(KINDS)("an account of the pool whose %s proxy is %s keeps to it", async (scheme, kind) => {
    const [upstream, decoy, resetting, refusing] = [await trap(), await trap(), await trap(), await socks({ reply: 2 })]
    const isSocks = scheme.startsWith("socks")
    const dead = `http://127.0.0.1:${freePort()}`
    const all = `socks5://127.0.0.1:${decoy.port}`
    const gateway = await start({
      ...PAUSED,
      settings: everythingTo(upstream, ""),
      env: { NO_PROXY: "*", no_proxy: "*", ALL_PROXY: all, all_proxy: all, HTTP_PROXY: dead, HTTPS_PROXY: dead },
    })
    const port = kind === "dead" ? freePort() : isSocks ? refusing.port : resetting.port
    await gateway.post(ROOT, { url: `${scheme}://127.0.0.1:${port}`, name: "own" })
    await gateway.post(`${ROOT}/assign`, { accounts: "all", to: "pool" })
    await gateway.post("/api/admin/accounts/batch", { action: "enable", ids: "all" })
    await useAccount(gateway)
    expect((await gateway.post("/v1/responses", turn())).status).toBeGreaterThanOrEqual(500)
    if (kind === "refusing") {
      expect(isSocks ? refusing.asked.length : resetting.opened()).toBeGreaterThanOrEqual(3)
    }
    expect([upstream.opened(), decoy.opened()]).toEqual([0, 0])
  })
})

test("fault 74: a password with special characters reaches the proxy as it is, and stands nowhere in clear", async () => {
  const password = `p@ss:w#rd/%?&=+!'" *\\é`
  const proxy = await socks({ login: { user: "ann", password } })
  const gateway = await start(PAUSED)
  const imported = await gateway.post(`${ROOT}/import`, { text: `socks5://${proxy.host}:ann:${password}` })
  expect(imported.json()["counts"]).toMatchObject({ added: 1 })
  await gateway.post(`${ROOT}/assign`, { accounts: "all", to: "pool" })
  await gateway.post("/api/admin/accounts/batch", { action: "enable", ids: "all" })
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  expect(new Set(proxy.logins)).toEqual(new Set([`ann:${password}`]))
  const shown = [await gateway.get(ROOT), await gateway.get(`${ROOT}/export`)].map(({ text }) => text).join("")
  for (const text of [password, encodeURIComponent(password)]) {
    expect(shown).not.toContain(text)
    expect(gateway.process().output()).not.toContain(text)
  }
})

test("fault 76: while a proxy is dead the accounts beside it serve, and the health of those behind it is unchanged", async () => {
  const gateway = await start({ accounts: 4 })
  const listed = async () =>
    (await gateway.get("/api/admin/accounts")).json()["accounts"] as unknown as {
      readonly id: string
      readonly score: number
      readonly tier: string
      readonly reason: string | null
      readonly requests: { readonly requests: number } | null
    }[]
  const [beside, ...behind] = await listed()
  await gateway.post(ROOT, { url: `http://127.0.0.1:${freePort()}`, name: "dead" })
  await gateway.post(`${ROOT}/assign`, { accounts: behind.map(({ id }) => id), to: "dead" })
  // Three accounts behind it: one try must be enough for all of them.
  for (let sent = 0; sent < 6; sent++) {
    expect((await gateway.post("/v1/responses", turn({ text: `request ${sent}` }))).status).toBe(200)
  }
  const after = await listed()
  expect(after.find(({ id }) => id === beside?.id)?.requests?.requests).toBe(6)
  for (const account of after.filter(({ id }) => id !== beside?.id)) {
    expect(account).toMatchObject({ score: 100, tier: "healthy", reason: "proxy" })
  }
})
