/** icebear0828/codex-proxy's proxy routes. */

import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test"

import { startForwardProxy } from "../../../support/forward-proxy.ts"
import { type InProcessGateway, startInProcessGateway } from "../../../support/in-process-gateway.ts"

let gateway: InProcessGateway
let proxy: Awaited<ReturnType<typeof startForwardProxy>>

beforeAll(async () => {
  proxy = await startForwardProxy()
  gateway = await startInProcessGateway({ accounts: 3, files: 3 })
})
afterAll(async () => {
  await gateway.stop()
  await proxy.stop()
})

const ROOT = "/api/proxies"
const ask = (method: string, path: string, body?: unknown) => gateway.ask(method, `${ROOT}${path}`, body)
const add = async (name: string): Promise<string> =>
  (await ask("POST", "", { name, url: `http://${name}:secret-word@${proxy.host}` })).json.proxy.id
const accountIds = async (): Promise<string[]> =>
  (await ask("GET", "/assignments")).json.accounts.map((one: { id: string }) => one.id)

beforeEach(async () => {
  for (const { id } of (await ask("GET", "")).json.proxies) await ask("DELETE", `/${id}`)
  for (const id of await accountIds()) await ask("DELETE", `/assign/${id}`)
})

test("a proxy has that system's members, and its password is masked", async () => {
  const made = await ask("POST", "", {
    name: "one",
    host: "proxy.example",
    port: 1080,
    protocol: "socks5",
    username: "ann",
    password: "p@ss",
  })
  expect(made.json).toEqual({
    success: true,
    proxy: {
      id: expect.stringMatching(/^px_/),
      name: "one",
      url: "socks5://ann:***@proxy.example:1080",
      status: "active",
      health: null,
      addedAt: expect.stringMatching(/^20/),
    },
  })
  const { id } = made.json.proxy
  expect((await ask("PUT", `/${id}`, { name: "two" })).json.proxy.name).toBe("two")
  expect((await ask("POST", `/${id}/disable`)).json.proxy.status).toBe("disabled")
  expect((await ask("POST", `/${id}/enable`)).json.proxy.status).toBe("active")
  expect((await ask("GET", "")).json).toMatchObject({ proxies: [{ id }], assignments: [] })
  expect((await ask("DELETE", `/${id}`)).json).toEqual({ success: true })
  expect([(await ask("DELETE", `/${id}`)).status, (await ask("PUT", `/${id}`, {})).json.error]).toEqual([
    404,
    "Proxy not found",
  ])
})

test.each([
  [{}, "url or host is required"],
  [{ url: "ftp://proxy.example:1" }, "The proxy scheme ftp: is not supported."],
])("%j is refused in its words or ours", async (body, error) => {
  const answer = await ask("POST", "", body)
  expect([answer.status, answer.json.error]).toEqual([400, error])
})

test("a check answers with latency and exit address", async () => {
  const id = await add("one")
  const { json } = await ask("POST", `/${id}/check`)
  expect(json.health).toEqual({
    exitIp: null,
    latencyMs: expect.any(Number),
    lastChecked: expect.any(String),
    error: null,
  })
  expect((await ask("POST", "/check-all")).json).toMatchObject({ success: true, proxies: [{ status: "active" }] })
})

test("an account is assigned and taken back; everything of it goes that way meanwhile", async () => {
  const id = await add("one")
  const [account = ""] = await accountIds()
  expect((await ask("POST", "/assign", { accountId: account, proxyId: id })).json).toEqual({
    success: true,
    assignment: { accountId: account, proxyId: id },
    displayName: "one",
  })
  const before = proxy.seen.length
  await gateway.ask("GET", `/auth/accounts/${account}/quota`)
  expect(proxy.seen.slice(before)).toEqual(["GET /backend-api/wham/usage"])
  const listed = (await gateway.ask("GET", "/auth/accounts")).json.accounts
  expect(listed.find((one: { id: string }) => one.id === account)).toMatchObject({ proxyId: id, proxyName: "one" })
  expect((await ask("GET", "")).json.assignments).toEqual([{ accountId: account, proxyId: id }])
  await ask("DELETE", `/assign/${account}`)
  expect((await ask("GET", "")).json.assignments).toEqual([])
})

test.each([
  ["global", "Global Default"],
  ["direct", "Direct (No Proxy)"],
  ["auto", "Auto (Round-Robin)"],
])("%s is one of its words", async (proxyId, displayName) => {
  await add("one")
  const [accountId = ""] = await accountIds()
  expect((await ask("POST", "/assign", { accountId, proxyId })).json.displayName).toBe(displayName)
  const { accounts } = (await ask("GET", "/assignments")).json
  expect(accounts.find((one: { id: string }) => one.id === accountId)).toMatchObject({ proxyId, status: "active" })
})

test("many are assigned at once or by turns, all or none", async () => {
  const [one, two, ids] = [await add("one"), await add("two"), await accountIds()]
  const bulk = { assignments: ids.map(accountId => ({ accountId, proxyId: one })) }
  expect((await ask("POST", "/assign-bulk", bulk)).json).toEqual({ success: true, applied: 3 })
  const broken = { assignments: [...bulk.assignments, { accountId: ids[0], proxyId: "px_none" }] }
  expect((await ask("POST", "/assign-bulk", broken)).status).toBe(400)
  const rule = { accountIds: ids, rule: "round-robin", targetProxyIds: [two, "direct"] }
  expect(
    (await ask("POST", "/assign-rule", rule)).json.assignments.map((each: { proxyId: string }) => each.proxyId),
  ).toEqual([two, "direct", two])
  expect((await ask("POST", "/assign-rule", { ...rule, rule: "by-moon" })).status).toBe(400)
})

test("assignments go out by e-mail, and come in with a look before they are applied", async () => {
  const id = await add("one")
  const [accountId = ""] = await accountIds()
  await ask("POST", "/assign", { accountId, proxyId: id })
  const exported = (await ask("GET", "/assignments/export")).json
  expect(exported.assignments).toEqual([{ email: expect.stringContaining("@"), proxyId: id }])
  expect((await ask("POST", "/assignments/import", exported)).json).toEqual({ changes: [], unchanged: 1 })
  await ask("DELETE", `/assign/${accountId}`)
  const { changes } = (await ask("POST", "/assignments/import", exported)).json
  expect(changes).toEqual([{ email: exported.assignments[0].email, accountId, from: "global", to: id }])
  const order = changes.map((one: { accountId: string; to: string }) => ({ accountId: one.accountId, proxyId: one.to }))
  expect((await ask("POST", "/assignments/apply", { assignments: order })).json).toEqual({ success: true, applied: 1 })
})

test("lists come in as text or JSON, and go out as YAML without passwords", async () => {
  const lines = "10.0.0.1:8080:ann:secret-word\nnonsense\n"
  expect((await ask("POST", "/import", lines)).json).toEqual({
    success: true,
    added: 1,
    skipped: 0,
    errors: [expect.stringContaining("line 2")],
  })
  expect((await ask("POST", "/import", { text: lines })).json).toMatchObject({ added: 0, skipped: 1 })
  const exported = await ask("GET", "/export")
  expect(exported.text).toContain("http://ann:***@10.0.0.1:8080")
})
