/** icebear0828/codex-proxy's account routes. */

import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test"

import { type InProcessGateway, startInProcessGateway } from "../../../support/in-process-gateway.ts"

type Listed = { readonly id: string; readonly email: string; readonly status: string; readonly quota?: object }

let gateway: InProcessGateway

beforeAll(async () => {
  gateway = await startInProcessGateway({ accounts: 4 })
})
afterAll(() => gateway.stop())

const ROOT = "/auth/accounts"
const UNKNOWN = "acc_0000000000000000"
const ask = (method: string, path: string, body?: unknown) => gateway.ask(method, `${ROOT}${path}`, body)
const file = (number: number) => gateway.simulator.control.accountFile(`account-${number}`)
const list = async (query = ""): Promise<Listed[]> => (await ask("GET", query)).json.accounts
const find = async (number: number): Promise<Listed> => {
  const found = (await list()).find(one => one.email === file(number).email)
  if (found === undefined) throw new Error(`account-${number} is not there`)
  return found
}
const entry = (number: number) => {
  const { access_token, refresh_token } = file(number)
  return { token: access_token, refreshToken: refresh_token, label: `label ${number}` }
}

beforeEach(async () => {
  await ask("POST", "/import", { accounts: [1, 2, 3].map(entry) })
})

test("an import counts added, updated and failed, and says why", async () => {
  await ask("POST", "/batch-delete", { ids: (await list()).map(one => one.id) })
  const answer = await ask("POST", "/import", { accounts: [entry(1), entry(2), { label: "nothing" }] })
  expect(answer.json).toMatchObject({ success: true, added: 2, updated: 0, failed: 1 })
  expect(answer.json.errors).toEqual([expect.stringContaining("entry 3: ")])
  expect((await ask("POST", "/import", { accounts: [entry(1)] })).json).toMatchObject({ added: 0, updated: 1 })
  const lines = await gateway.ask("POST", `${ROOT}/import`, `${file(3).access_token}\nrt_bare\n`, {
    "content-type": "text/plain",
  })
  expect(lines.json).toMatchObject({ success: true, added: 2, failed: 0 })
  await ask("POST", "/batch-delete", { ids: (await list()).filter(one => one.email === null).map(one => one.id) })
})

test("the list has that system's members and no secrets; quota only when asked for", async () => {
  const answer = await ask("GET", "")
  expect(Object.keys(answer.json.accounts[0])).toEqual([
    "id",
    "email",
    "accountId",
    "userId",
    "label",
    "planType",
    "status",
    "usage",
    "addedAt",
    "expiresAt",
    "proxyId",
    "proxyName",
  ])
  expect(answer.json.accounts[0].status).toBe("active")
  expect(answer.text).not.toContain(file(1).access_token)
  const [fresh] = await list("?quota=fresh")
  expect(fresh?.quota).toMatchObject({
    plan_type: "plus",
    rate_limit: { allowed: true, limit_reached: false, used_percent: 0, limit_window_seconds: 18_000 },
    secondary_rate_limit: { used_percent: 0, limit_window_seconds: 604_800 },
  })
  expect((await list("?quota=true"))[0]?.quota).toEqual(fresh?.quota)
})

test("one account by its access token, or by a refresh token that is exchanged at once", async () => {
  const { id } = await find(2)
  await ask("DELETE", `/${id}`)
  const byToken = await ask("POST", "", { token: file(2).access_token })
  expect(byToken.json).toMatchObject({ success: true, account: { email: file(2).email, status: "active" } })
  const byRefresh = await ask("POST", "", { refreshToken: file(4).refresh_token })
  expect(byRefresh.json).toMatchObject({ success: true, account: { email: file(4).email, status: "active" } })
  await ask("DELETE", `/${(await find(4)).id}`)
  const used = await ask("POST", "", { refreshToken: "rt_used-up" })
  expect(used.status).toBe(502)
  expect(used.json.error).toStartWith("Refresh token exchange failed")
  await ask("DELETE", `/${/acc_\w+/.exec(used.json.hint)?.[0]}`)
})

test.each([
  ["", {}],
  ["", { token: "ghp_abc" }],
  ["", '{"token": "'],
  ["/import", { accounts: [] }],
  ["/import", '{"accounts": [{"token"'],
  ["/import", ""],
  ["/batch-delete", { ids: [] }],
  ["/batch-delete", { wrong: "field" }],
  ["/batch-status", { ids: ["x"], status: "banned" }],
  ["/health-check", { ids: "all" }],
])("POST %s with %j is refused with an error text", async (path, body) => {
  const before = await list()
  const answer = await ask("POST", path, body)
  expect(answer.status).toBe(400)
  expect(answer.json.error).toBeString()
  expect(await list()).toEqual(before)
})

test("export: everything, the minimum, one account, other shapes", async () => {
  const full = await ask("GET", "/export")
  expect(full.headers.get("cache-control")).toBe("no-store")
  expect(full.json.accounts.length).toBe(3)
  expect(full.json.accounts[0]).toMatchObject({ token: file(1).access_token, refreshToken: file(1).refresh_token })
  const minimal = (await ask("GET", "/export?format=minimal")).json.accounts
  expect(Object.keys(minimal[0])).toEqual(["refreshToken", "label"])
  const { id } = await find(2)
  expect((await ask("GET", `/export?format=minimal&ids=${id}`)).json.accounts[0].refreshToken).toBe(
    file(2).refresh_token,
  )
  expect((await ask("GET", "/export?format=sub2api")).json.type).toBe("sub2api-data")
  expect((await ask("GET", "/export?format=cpa")).json[0].type).toBe("codex")
  expect((await ask("GET", "/export?format=odd")).status).toBe(400)
  // What was exported can be taken in again.
  await ask("POST", "/batch-delete", { ids: (await list()).map(one => one.id) })
  expect((await ask("POST", "/import", full.json)).json).toMatchObject({ added: 3, failed: 0 })
})

test("many are set to disabled and active; ids that are no accounts are named", async () => {
  const ids = (await list()).map(one => one.id)
  const off = await ask("POST", "/batch-status", { ids: [...ids, UNKNOWN], status: "disabled" })
  expect(off.json).toEqual({ success: true, updated: 3, notFound: [UNKNOWN] })
  expect((await list()).map(one => one.status)).toEqual(["disabled", "disabled", "disabled"])
  expect((await ask("GET", `/${ids[0]}/quota`)).status).toBe(409)
  await ask("POST", "/batch-status", { ids, status: "active" })
  expect((await list()).map(one => one.status)).toEqual(["active", "active", "active"])
})

test("many are deleted for good; ids that are no accounts are named", async () => {
  const ids = (await list()).map(one => one.id)
  const answer = await ask("POST", "/batch-delete", { ids: [...ids, UNKNOWN] })
  expect(answer.json).toEqual({ success: true, deleted: 3, notFound: [UNKNOWN] })
  expect(await list()).toEqual([])
  expect((await gateway.ask("GET", "/api/admin/accounts?archived=true")).json.total).toBe(0)
})

test("a health check asks for the quota, which uses no refresh token up", async () => {
  const [first, second] = [await find(1), await find(2)]
  await ask("POST", "/batch-status", { ids: [second.id], status: "disabled" })
  gateway.simulator.control.script({ endpoint: "usage", account: "account-3", scenario: "server-error" })
  gateway.simulator.control.clearRecorded()
  const { json } = await ask("POST", "/health-check", {
    ids: [first.id, second.id, (await find(3)).id, UNKNOWN],
    stagger_ms: 1,
  })
  expect(json.summary).toEqual({ total: 4, alive: 1, dead: 1, skipped: 2 })
  expect(json.results[0]).toMatchObject({ id: first.id, email: first.email, previousStatus: "active", result: "alive" })
  expect(json.results[1]).toMatchObject({ previousStatus: "disabled", result: "skipped", error: "disabled" })
  expect(json.results[2]).toMatchObject({ result: "dead", error: expect.any(String) })
  expect(json.results[3]).toMatchObject({ id: UNKNOWN, result: "skipped", error: "not found" })
  expect(gateway.simulator.control.recorded({ path: "/oauth/token" })).toEqual([])
  gateway.simulator.control.clearScripts()
  await ask("POST", "/batch-status", { ids: [second.id], status: "active" })
  expect((await ask("POST", "/health-check")).json.summary).toMatchObject({ total: 3 })
})

test("one account: refresh, quota, label, cookies", async () => {
  const { id } = await find(1)
  expect((await ask("POST", `/${id}/refresh`)).json).toMatchObject({ id, previousStatus: "active", result: "alive" })
  expect((await ask("GET", `/${id}/quota`)).json).toMatchObject({ quota: { plan_type: "plus" }, raw: null })
  expect((await ask("PATCH", `/${id}/label`, { label: "Mine" })).json).toEqual({ success: true })
  expect(await find(1)).toMatchObject({ label: "Mine" })
  expect((await ask("PATCH", `/${id}/label`, { label: "x".repeat(65) })).status).toBe(400)
  expect((await ask("GET", `/${id}/cookies`)).json).toEqual({ cookies: null })
  const put = await ask("POST", `/${id}/cookies`, { cookies: "cf=value-that-is-long; b=2" })
  expect(put.json).toEqual({ success: true, cookies: { cf: "val***", b: "***" } })
  expect((await ask("GET", `/${id}/cookies?values=true`)).json.cookies.cf).toBe("value-that-is-long")
  expect((await ask("DELETE", `/${id}/cookies`)).json).toEqual({ success: true })
})

test("an account that cannot be refreshed says so, and its state is told in that system's words", async () => {
  await ask("POST", "/batch-delete", { ids: [(await find(1)).id] })
  await ask("POST", "", { token: file(1).access_token })
  const { id } = await find(1)
  expect((await ask("POST", `/${id}/refresh`)).json).toMatchObject({ result: "skipped", error: "no refresh token" })
  gateway.simulator.control.setQuota("account-2", { primary: { usedPercent: 100 } })
  await list("?quota=fresh")
  expect((await find(2)).status).toBe("quota_exhausted")
  gateway.simulator.control.setQuota("account-2", { primary: { usedPercent: 0 } })
  await list("?quota=fresh")
  expect((await find(2)).status).toBe("active")
})

test.each([
  ["DELETE", ""],
  ["POST", "/refresh"],
  ["GET", "/quota"],
  ["PATCH", "/label"],
  ["GET", "/cookies"],
  ["POST", "/cookies"],
  ["DELETE", "/cookies"],
])("%s /:id%s of an account that does not exist is 404", async (method, path) => {
  const body =
    method === "PATCH" ? { label: "x" } : path === "/cookies" && method === "POST" ? { cookies: "a=1" } : undefined
  const answer = await ask(method, `/${UNKNOWN}${path}`, body)
  expect([answer.status, answer.json.error]).toEqual([404, "Account not found"])
})
