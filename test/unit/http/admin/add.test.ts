/** `POST /api/admin/accounts` and what codex2api's scripts send: tokens one a line, files with its format names, its list. */

import { afterAll, beforeAll, expect, test } from "bun:test"

import { startForwardProxy } from "../../../support/forward-proxy.ts"
import { type InProcessGateway, startInProcessGateway } from "../../../support/in-process-gateway.ts"

let gateway: InProcessGateway

beforeAll(async () => {
  gateway = await startInProcessGateway({ accounts: 6 })
})
afterAll(() => gateway.stop())

const PATH = "/api/admin/accounts"
const add = (body: unknown, path = PATH) => gateway.ask("POST", path, body)
const fileOf = (name: string) => gateway.simulator.control.accountFile(name)
const accounts = async (query = "") => (await gateway.ask("GET", `${PATH}${query}`)).json.accounts
const madeUp = (count: number) => Array.from({ length: count }, (_, index) => `rt_made-up-${index}`)

test("refresh tokens one a line: each has a result, known ones are duplicates, wrong ones say why", async () => {
  const { access_token, refresh_token } = fileOf("account-1")
  const body = {
    name: "team",
    refresh_token: `${refresh_token}\r\n\n  rt_other-one \n${access_token}\n`,
    tags: ["new"],
  }
  const answer = await add(body)
  expect(answer.status).toBe(200)
  expect(answer.json).toMatchObject({ success: 2, duplicate: 0, failed: 1, total: 3 })
  expect(answer.json.results[2]).toMatchObject({ outcome: "refused", where: "line 3" })
  expect(answer.json.results[2].reason).toContain("access token, not a refresh token")
  expect(answer.text).not.toContain(refresh_token)
  const labels = (await accounts("?tag=new")).map((one: { label: string }) => one.label)
  expect(labels.sort()).toEqual(["team-1", "team-2"])
  expect((await add({ refresh_token: "rt_other-one" })).json).toMatchObject({ success: 0, duplicate: 1, failed: 0 })
})

test("one account by both tokens, with label and note", async () => {
  const { access_token, refresh_token, email } = fileOf("account-2")
  const { json } = await add({ access_token, refresh_token, label: "Mine", note: "paid until June" })
  expect(json).toMatchObject({ success: 1, total: 1 })
  const found = (await accounts()).find((one: { email: string }) => one.email === email)
  expect(found).toMatchObject({
    label: "Mine",
    note: "paid until June",
    state: "ready",
    credential: { can_refresh: true },
  })
})

test("a hundred lines are taken, a hundred and one are not", async () => {
  const before = (await accounts()).length
  const tooMany = await add({ refresh_token: madeUp(101).join("\n") })
  expect([tooMany.status, tooMany.json.error.code]).toEqual([400, "too_many_lines"])
  expect(tooMany.json.error.hint).toContain("/import")
  expect((await accounts()).length).toBe(before)
  expect((await add({ refresh_token: madeUp(100).join("\n") })).json).toMatchObject({ success: 100, failed: 0 })
})

test.each([
  ["half of it", '{"refresh_token": "rt_'],
  ["a list", "[]"],
  ["nothing", undefined],
  ["blank lines", { refresh_token: "\n \n" }],
  ["a number", { refresh_token: 5 }],
  ["two lists", { refresh_token: "rt_a\nrt_b", access_token: "x" }],
  ["a proxy that cannot be used", { refresh_token: "rt_a", proxy_url: "ftp://127.0.0.1:3128" }],
])("%s is refused with what to send", async (_, body) => {
  const answer = await add(body)
  expect([answer.status, answer.json.error.kind]).toEqual([400, "invalid-request"])
  expect(answer.json.error.message).toBeString()
})

test("with a proxy of its own an account uses nothing else from its first moment on", async () => {
  const proxy = await startForwardProxy()
  const own = await startInProcessGateway({ accounts: 1 })
  try {
    const { access_token, refresh_token } = own.simulator.control.accountFile("account-1")
    const proxy_url = `http://ann:secret-word@${proxy.host}`
    const { json } = await own.ask("POST", PATH, { access_token, refresh_token, proxy_url })
    const id = json.results[0].account_id
    await own.ask("POST", `${PATH}/${id}/refresh`)
    await own.ask("POST", `${PATH}/${id}/test`)
    expect(proxy.seen).toContain("POST /oauth/token")
    // Connections that are kept warm belong to no account.
    const received = own.simulator.control.recorded().filter(({ path }) => path !== "/favicon.ico")
    expect(received.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(proxy.seen.toSorted())
    const { egress } = (await own.ask("GET", `${PATH}/${id}`)).json
    expect(egress).toMatchObject({ mode: "fixed", proxy_name: proxy.host, fault: null })
    expect((await own.ask("POST", PATH, { refresh_token: "rt_other", proxy_url })).json.success).toBe(1)
    expect((await own.ask("GET", "/api/admin/proxies")).json.proxies).toMatchObject([{ accounts: 2 }])
  } finally {
    await own.stop()
    await proxy.stop()
  }
})

test("progress is told to who asks for events", async () => {
  const answer = await gateway.ask("POST", PATH, { refresh_token: "rt_streamed" }, { accept: "text/event-stream" })
  expect(answer.headers.get("content-type")).toStartWith("text/event-stream")
  expect(answer.text).toContain('event: done\ndata: {"message":"1 added or updated, 0 known already, 0 refused"')
})

test("codex2api: access tokens by their own route, and none but those", async () => {
  const { access_token, email } = fileOf("account-3")
  const { json } = await add({ name: "at", access_token: `${access_token}\nrt_no` }, `${PATH}/at`)
  expect(json).toMatchObject({ success: 1, failed: 1, total: 2 })
  const found = (await accounts()).find((one: { email: string }) => one.email === email)
  expect(found.credential).toMatchObject({ can_refresh: false, state: "fresh" })
  const other = await add({ refresh_token: "rt_a" }, `${PATH}/at`)
  expect([other.status, other.json.error.code]).toEqual([400, "unexpected_refresh_token"])
})

test.each([
  ["txt", () => "\uFEFFrt_from-file-1\nrt_from-file-2\n", { success: 2, failed: 0, total: 2 }],
  ["at_txt", () => `${fileOf("account-4").access_token}\n`, { success: 1, failed: 0, total: 1 }],
  [
    "json",
    () => JSON.stringify([fileOf("account-5"), { email: "nobody@example.com" }]),
    { success: 1, failed: 1, total: 2 },
  ],
  ["json", () => '[{"refresh_token": "rt_', { success: 0, failed: 1, total: 1 }],
])("codex2api: a file of the format %s", async (format, text, counts) => {
  const form = new FormData()
  form.set("format", format)
  form.append("file", new File([text()], "accounts.dat"))
  const answer = await add(form, `${PATH}/import`)
  expect(answer.status).toBe(200)
  expect(answer.json).toMatchObject({ ...counts, dry_run: false })
})

test("codex2api: a form without a file is refused", async () => {
  const form = new FormData()
  form.set("format", "txt")
  const answer = await add(form, `${PATH}/import`)
  expect([answer.status, answer.json.error.code]).toEqual([400, "missing_file"])
})

test("codex2api: the list in its shape, with its three states", async () => {
  const { email } = fileOf("account-2")
  const find = async () => (await accounts("?shape=codex2api")).find((one: { email: string }) => one.email === email)
  const ready = await find()
  expect(ready).toMatchObject({ name: "Mine", status: "ready", plan_type: "plus", at_only: false, enabled: true })
  await gateway.ask("POST", `${PATH}/${ready.id}/pause`)
  expect(await find()).toMatchObject({ status: "error", error_message: "paused", enabled: false })
  await gateway.ask("POST", `${PATH}/${ready.id}/enable`)
  gateway.simulator.control.setQuota("account-2", { primary: { usedPercent: 100 } })
  await gateway.ask("POST", `${PATH}/${ready.id}/test`)
  const resting = await find()
  expect(resting).toMatchObject({ status: "cooldown", cooldown_reason: "quota", usage_percent_5h: 100 })
  expect(Date.parse(resting.cooldown_until)).toBeGreaterThan(Date.now())
})
