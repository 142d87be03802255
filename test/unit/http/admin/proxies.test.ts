/** `/api/admin/proxies`: proxies kept, assigned, checked, given out; over real proxies on loopback. */

import { Database } from "bun:sqlite"
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { join } from "node:path"

import { startForwardProxy } from "../../../support/forward-proxy.ts"
import { type InProcessGateway, startInProcessGateway } from "../../../support/in-process-gateway.ts"
import { startSocksProxy } from "../../../support/socks-proxy.ts"

const ROOT = "/api/admin/proxies"
const PASSWORD = "wölf:p@ss/w#rd%"

let gateway: InProcessGateway
let http: Awaited<ReturnType<typeof startForwardProxy>>
let socks: Awaited<ReturnType<typeof startSocksProxy>>

beforeAll(async () => {
  http = await startForwardProxy()
  socks = await startSocksProxy({ login: { user: "ann", password: PASSWORD } })
  gateway = await startInProcessGateway({ accounts: 3, files: 3 })
})
afterAll(async () => {
  await gateway.stop()
  await http.stop()
  await socks.stop()
})

type Listed = { readonly id: string; readonly name: string; readonly accounts: number; readonly fault: string | null }
const ask = (method: string, path: string, body?: unknown) => gateway.ask(method, `${ROOT}${path}`, body)
const list = async (): Promise<Listed[]> => (await ask("GET", "")).json.proxies
const accounts = async () => (await gateway.ask("GET", "/api/admin/accounts")).json.accounts
const assign = (to: string | readonly string[], rest: object = {}) =>
  ask("POST", "/assign", { accounts: "all", to, ...rest })
const testAll = () => gateway.ask("POST", "/api/admin/accounts/batch", { action: "test", ids: "all" })

beforeEach(async () => {
  await assign("inherit")
  const known = (await list()).map(({ id }) => id)
  if (known.length > 0) await ask("POST", "/batch", { action: "delete", ids: known, confirm: true })
})

const add = async (url: string, rest: object = {}): Promise<Listed> =>
  (await ask("POST", "", { url, ...rest })).json.proxies[0]

test("a proxy is added, shown without its password, changed, and removed when that is confirmed", async () => {
  const added = await ask("POST", "", { url: `proxy.example:8080:ann:${PASSWORD}`, name: "one", region: "eu" })
  expect(added.json.proxies[0]).toMatchObject({
    id: expect.stringMatching(/^px_[0-9a-f]{12}$/),
    name: "one",
    url: "http://ann:***@proxy.example:8080",
    region: "eu",
    enabled: true,
    state: "unknown",
    accounts: 0,
  })
  expect((await ask("PATCH", "/one", { name: "two", region: null, max_concurrent: 3 })).json).toMatchObject({
    name: "two",
    region: null,
    max_concurrent: 3,
  })
  expect((await ask("GET", "/TWO")).json.url).toBe("http://ann:***@proxy.example:8080")
  expect((await ask("DELETE", "/two")).json.error.code).toBe("confirmation_required")
  expect((await ask("DELETE", "/two?confirm=true")).json).toMatchObject({ waiting: 0 })
  expect(await list()).toEqual([])
})

test.each([
  [{ url: "ftp://proxy.example:1" }, "proxy_unusable"],
  [{ url: "http://proxy.example:1", name: "direct" }, "invalid_proxy"],
  [{ url: "http://proxy.example:1", max_concurrent: -1 }, "invalid_proxy"],
  [{}, "no_proxy_named"],
  [{ urls: ["http://proxy.example:1", "http://proxy.example:1"] }, "proxy_exists"],
])("%j is refused and nothing is added", async (order, code) => {
  const answer = await ask("POST", "", order)
  expect([answer.status, answer.json.error.code]).toEqual([400, code])
  expect(await list()).toEqual([])
})

test("the address lies encrypted in the database, and is there again after a restart", async () => {
  await add(`socks5h://ann:${encodeURIComponent(PASSWORD)}@${socks.host}`, { name: "kept" })
  await assign("kept")
  await gateway.restart(async () => {
    const database = new Database(join(gateway.folder, "data", "core.db"), { readonly: true })
    const text = JSON.stringify([
      database.query("select * from proxies").all(),
      database.query("select * from sealed_values").all(),
    ])
    database.close()
    expect(text).toContain("kept")
    expect(text).not.toContain(socks.host)
    expect(text).not.toContain("wölf")
  })
  expect((await list())[0]).toMatchObject({ name: "kept", accounts: 3, fault: null })
  const before = socks.logins.length
  await testAll()
  expect(new Set(socks.logins.slice(before))).toEqual(new Set([`ann:${PASSWORD}`]))
})

describe("assigning", () => {
  test("sends everything of an account through its proxy, and a look beforehand changes nothing", async () => {
    await add(`http://${http.host}`, { name: "one" })
    const before = http.seen.length
    const preview = await assign("one", { dry_run: true })
    expect(preview.json).toMatchObject({
      dry_run: true,
      unchanged: 0,
      changes: [{ from: "inherit", to: "one" }, {}, {}],
    })
    await testAll()
    expect(http.seen.length).toBe(before)
    expect((await assign("one")).json.changes).toHaveLength(3)
    expect((await assign("one")).json).toMatchObject({ changes: [], unchanged: 3 })
    await testAll()
    await gateway.ask("POST", "/api/admin/accounts/batch", { action: "refresh", ids: "all" })
    const seen = http.seen.slice(before)
    expect(seen.filter(line => line === "GET /backend-api/wham/usage")).toHaveLength(3)
    expect(seen.filter(line => line === "POST /oauth/token")).toHaveLength(3)
  })

  test("deals several ways out in turn", async () => {
    for (const name of ["one", "two"]) await add(`http://${http.host}`, { name, url: `http://${name}:x@${http.host}` })
    await assign(["one", "two", "direct"])
    const { assignments } = (await ask("GET", "/assignments")).json
    expect(
      assignments.map((one: { mode: string; proxy_name: string }) => one.proxy_name ?? one.mode).toSorted(),
    ).toEqual(["direct", "one", "two"])
  })

  test("by a rule concerns those that fit it, and an unknown rule nobody", async () => {
    await add(`http://${http.host}`, { name: "one" })
    const [first] = await accounts()
    await gateway.ask("PATCH", `/api/admin/accounts/${first.id}`, { tags: ["team"] })
    const done = await assign("one", { rule: { tag: "team" } })
    expect(done.json.changes.map((one: { account: string }) => one.account)).toEqual([first.id])
    expect((await assign("inherit", { rule: { proxy: "one", mode: "fixed" } })).json.changes).toHaveLength(1)
    const misspelt = await assign("one", { rule: { tags: "team" } })
    expect([misspelt.status, (await list())[0]?.accounts]).toEqual([400, 0])
  })

  test.each([
    [{ to: "nowhere" }, 404, "proxy_not_found"],
    [{ to: [] }, 400, "no_way_named"],
    [{ to: "direct", accounts: ["nobody"] }, 404, "account_not_found"],
  ])("%j is refused", async (order, status, code) => {
    const answer = await ask("POST", "/assign", { accounts: "all", ...order })
    expect([answer.status, answer.json.error.code]).toEqual([status, code])
  })

  test("to the pool is kept, survives a restart, and moves on when the proxy is taken away", async () => {
    for (const name of ["one", "two"]) await add(`http://${name}:x@${http.host}`, { name })
    await assign("pool")
    const chosen = async (): Promise<string[]> =>
      (await accounts()).map((one: { egress: { proxy_name: string } }) => one.egress.proxy_name)
    const before = await chosen()
    await add(`http://three:x@${http.host}`, { name: "three" })
    await gateway.restart()
    expect(await chosen()).toEqual(before)
    const [gone] = before
    await ask("POST", `/${gone}/disable`)
    const after = await chosen()
    expect(after).not.toContain(gone)
    expect(after.filter((name, index) => before[index] !== gone && name !== before[index])).toEqual([])
    await ask("POST", `/${gone}/enable`)
    expect(await chosen()).toEqual(after)
  })
})

describe("an account whose proxy must not be used", () => {
  const turn = () =>
    gateway.ask(
      "POST",
      "/v1/responses",
      { model: "gpt-5.5", input: "hello" },
      { authorization: `Bearer ${gateway.clientKey}` },
    )

  test.each([
    ["disabled", "proxy-disabled", () => ask("POST", "/one/disable")],
    ["removed", "proxy-missing", () => ask("DELETE", "/one?confirm=true")],
  ])("because it is %s waits and says so", async (_, fault, order) => {
    await add(`http://${http.host}`, { name: "one" })
    await assign("one")
    expect((await turn()).status).toBe(200)
    await order()
    for (const account of await accounts()) {
      expect(account).toMatchObject({ state: "no-proxy", reason: fault, egress: { mode: "fixed", fault } })
    }
    expect((await testAll()).json.accounts).toMatchObject(Array(3).fill({ status: "failed", proxy_failed: true }))
    const refused = await turn()
    expect(refused.status).toBe(503)
    expect(refused.text).toContain("3 accounts assigned to a proxy that")
    const stats = await gateway.ask("GET", "/stats", undefined, { authorization: `Bearer ${gateway.clientKey}` })
    expect(stats.json.accounts[0]).toMatchObject({ status: "error", reason: fault })
    await assign("direct")
    expect((await turn()).status).toBe(200)
  })

  test("joins the pool before there is a proxy, and serves once there is one", async () => {
    await assign("pool")
    expect((await accounts())[0]).toMatchObject({
      state: "no-proxy",
      reason: "proxy-missing",
      egress: { mode: "pool" },
    })
    await add(`http://${http.host}`, { name: "first" })
    expect((await accounts())[0]).toMatchObject({ state: "ready", egress: { proxy_name: "first" } })
    expect((await turn()).status).toBe(200)
  })
})

test("a check tells each step, finds the latency, and says why a dead one fails", async () => {
  await add(`http://${http.host}`, { name: "alive" })
  await add("http://127.0.0.1:1", { name: "dead" })
  const events = await gateway.ask("POST", `${ROOT}/check`, {}, { accept: "text/event-stream" })
  expect(events.text.match(/^event: \w+/gm)).toEqual(["event: progress", "event: progress", "event: done"])
  const [alive, dead] = (await ask("GET", "")).json.proxies
  expect(alive).toMatchObject({ state: "up", failure: null, latency_ms: expect.any(Number), exit_address: null })
  expect(dead).toMatchObject({
    state: "unknown",
    fail_streak: 1,
    failure: expect.stringContaining("could not be used"),
  })
  for (const _ of [2, 3]) await ask("POST", "/dead/check")
  expect((await ask("GET", "/dead")).json).toMatchObject({ state: "down", fault: "proxy-down" })
})

test("with an echo service of one's own a check finds the exit address, and tells who shares it", async () => {
  const echo = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("203.0.113.7\n") })
  const proxyChecks = { intervalMs: 0, echoUrl: echo.url.href, upstreamUrl: "http://127.0.0.1:1/" }
  const own = await startInProcessGateway({ accounts: 2, files: 2, config: { proxyChecks } })
  try {
    for (const name of ["one", "two"]) await own.ask("POST", ROOT, { url: `http://${name}:x@${http.host}`, name })
    await own.ask("POST", `${ROOT}/assign`, { accounts: "all", to: ["one", "two"] })
    const { proxies } = (await own.ask("POST", `${ROOT}/check`)).json
    expect(proxies).toMatchObject([
      { exit_address: "203.0.113.7", state: "up" },
      { exit_address: "203.0.113.7", state: "up", shares_exit_with: ["one"] },
    ])
    expect(own.log()).toContain("accounts of different ways out are seen at one address")
  } finally {
    await own.stop()
    await echo.stop(true)
  }
})

describe("lists", () => {
  const LINES = `${"10.0.0.1:8080:ann:"}${PASSWORD}\nsocks5://10.0.0.2:1080\nnonsense\n`

  test("are taken in after a look, and taken in again change nothing", async () => {
    const look = await gateway.ask("POST", `${ROOT}/import?dry_run=true`, LINES)
    expect(look.json).toMatchObject({ dry_run: true, counts: { added: 2, refused: 1 } })
    expect(await list()).toEqual([])
    expect((await gateway.ask("POST", `${ROOT}/import`, LINES)).json.results).toEqual([
      { where: "line 1", outcome: "added", name: "10.0.0.1:8080" },
      { where: "line 2", outcome: "added", name: "10.0.0.2:1080" },
      { where: "line 3", outcome: "refused", reason: expect.stringContaining("cannot be read") },
    ])
    expect((await gateway.ask("POST", `${ROOT}/import`, LINES)).json.counts).toMatchObject({ added: 0, unchanged: 2 })
    const renamed = "proxies:\n  - name: 10.0.0.2:1080\n    url: socks5h://10.0.0.9:1080\n    enabled: false\n"
    expect((await gateway.ask("POST", `${ROOT}/import`, renamed)).json.counts).toMatchObject({ updated: 1 })
    expect((await list())[1]).toMatchObject({ url: "socks5h://10.0.0.9:1080", enabled: false })
  })

  test("of ten thousand are taken in, each under a name of its own, and longer ones refused", async () => {
    const lines = Array.from({ length: 10_000 }, (_, index) => `gateway.example:8080:session-${index}:secret-word`)
    const imported = await gateway.ask("POST", `${ROOT}/import`, [...lines, lines[0]].join("\n"))
    expect(imported.json.error).toMatchObject({ code: "too_many_proxies" })
    const { counts, results } = (await gateway.ask("POST", `${ROOT}/import`, lines.join("\n"))).json
    expect(counts).toEqual({ added: 10_000, updated: 0, unchanged: 0, refused: 0 })
    expect(new Set(results.map((one: { name: string }) => one.name)).size).toBe(10_000)
    expect((await gateway.ask("POST", `${ROOT}/import`, lines.join("\n"))).json.counts.unchanged).toBe(10_000)
  })

  test("that name two addresses alike are refused at the second", async () => {
    const twice = "- { name: one, url: http://a.example:1 }\n- { name: ONE, url: http://b.example:1 }\n"
    const { results } = (await gateway.ask("POST", `${ROOT}/import`, twice)).json
    expect(results).toMatchObject([
      { outcome: "added" },
      { outcome: "refused", reason: expect.stringContaining("already") },
    ])
  })

  test("are given out with passwords only when asked, and that is recorded", async () => {
    await gateway.ask("POST", `${ROOT}/import`, LINES)
    const masked = await ask("GET", "/export")
    expect(masked.text).not.toContain("wölf")
    expect(gateway.log()).not.toContain("exported with their passwords")
    expect((await ask("GET", "")).json.passwords_exported_at).toBeNull()
    const shown = await ask("GET", "/export?format=lines&passwords=shown")
    expect(shown.text.split("\n")[0]).toBe(`10.0.0.1:8080:ann:${PASSWORD}`)
    expect(shown.headers.get("cache-control")).toBe("no-store")
    expect(gateway.log()).toContain("proxies were exported with their passwords")
    expect((await ask("GET", "")).json.passwords_exported_at).toMatch(/^20\d\d-/)
    expect((await gateway.ask("POST", `${ROOT}/import`, masked.text)).json.counts).toMatchObject({ refused: 1 })
  })
})
