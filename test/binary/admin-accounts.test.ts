/** The operators' surface of the running binary: accounts in, out, shown, changed, and gone for good. */

import { afterAll, beforeAll, expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated-gateway.ts"

const ADMIN_KEY = "admin-key-of-the-test"
let gateway: SimulatedGateway

beforeAll(async () => {
  gateway = await startSimulatedGateway({ accounts: 3, settings: { "admin-key": ADMIN_KEY } })
}, 60_000)
afterAll(() => gateway.stop())

/** The members these tests look at; what an answer lacks is undefined and fails the expectation. */
type Body = {
  readonly total: number
  readonly accounts: readonly { readonly id: string; readonly label: string; readonly status: string }[]
  readonly error: object
  readonly removed: object
  readonly results: object
  readonly note: string
}
type Reply = { readonly status: number; readonly body: Body; readonly text: string }

async function ask(
  method: string,
  path: string,
  body?: BodyInit | object,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const isPlain = body !== undefined && typeof body === "object" && body.constructor === Object
  const response = await fetch(`${gateway.url}/api/admin${path}`, {
    method,
    headers: { "x-admin-key": ADMIN_KEY, ...headers },
    ...(body !== undefined && { body: isPlain ? JSON.stringify(body) : (body as BodyInit) }),
  })
  const text = await response.text()
  return { status: response.status, text, body: text.startsWith("{") ? JSON.parse(text) : {} }
}

/** The account that stands first in the list. */
async function first(): Promise<Body["accounts"][number]> {
  const [account] = (await ask("GET", "/accounts")).body.accounts
  if (account === undefined) throw new Error("there is no account")
  return account
}

async function labels(query = ""): Promise<readonly string[]> {
  const { body } = await ask("GET", `/accounts${query}`)
  return body.accounts.map((account: { label: string }) => account.label).sort()
}

/** An entry of an account the simulator knows, as its file holds it. */
function entryOf(name: string): Record<string, unknown> {
  return { ...gateway.control.accountFile(name) }
}

test("without the key nobody comes in, and a client key is refused by name", async () => {
  for (const headers of [{}, { "x-admin-key": "wrong" }]) {
    const response = await fetch(`${gateway.url}/api/admin/accounts`, { headers })
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ error: { code: "invalid_admin_key", hint: expect.any(String) } })
  }
  const headers = { authorization: `Bearer ${gateway.key}` }
  const response = await fetch(`${gateway.url}/api/admin/accounts`, { headers })
  expect(response.status).toBe(403)
  expect(await response.json()).toMatchObject({ error: { code: "client_key_is_no_admin_key" } })
})

test("the list tells everything but secrets", async () => {
  const { status, body, text } = await ask("GET", "/accounts")
  expect(status).toBe(200)
  expect(body.total).toBe(3)
  expect(body.accounts[0]).toMatchObject({
    state: "ready",
    enabled: true,
    source: { type: "file", file: expect.stringMatching(/\.json$/) },
    credential: { type: "chatgpt", can_refresh: true, expires_at: expect.any(String) },
  })
  for (const name of gateway.control.accounts().map(account => account.name)) {
    const { access_token, refresh_token } = entryOf(name)
    expect(text).not.toContain(String(access_token))
    expect(text).not.toContain(String(refresh_token))
  }
})

test("an account is named, noted, tagged, found, paused and enabled again", async () => {
  const { id, label } = await first()
  const changed = await ask("PATCH", `/accounts/${id}`, { label: "mine", note: "paid by me", tags: ["eu", "team"] })
  expect(changed.body).toMatchObject({ id, label: "mine", note: "paid by me", tags: ["eu", "team"] })
  expect(await labels("?tag=eu")).toEqual(["mine"])
  expect(await labels("?search=PAID")).toEqual(["mine"])
  expect((await ask("POST", "/accounts/mine/pause")).body.accounts).toMatchObject([
    { id, state: "paused", enabled: false },
  ])
  expect(await labels("?state=paused")).toEqual(["mine"])
  expect((await ask("POST", "/accounts/mine/enable")).body.accounts).toMatchObject([{ id, state: "ready" }])
  const back = await ask("PATCH", `/accounts/${id}`, { label: null, note: "", tags: null })
  expect(back.body).toMatchObject({ label, note: null, tags: [] })
})

test("an account in the recycle bin is out of the pool and comes back whole", async () => {
  const { id } = await first()
  expect((await ask("POST", `/accounts/${id}/archive`)).body.accounts).toMatchObject([{ id, state: "archived" }])
  expect((await ask("GET", "/accounts")).body.total).toBe(2)
  expect((await ask("GET", "/accounts?archived=true")).body.accounts).toMatchObject([{ id }])
  expect(await (await fetch(`${gateway.url}/health`)).json()).toMatchObject({ total: 2 })
  expect((await ask("POST", `/accounts/${id}/refresh`)).body.error).toMatchObject({ hint: "Restore it first." })
  expect((await ask("POST", `/accounts/${id}/restore`)).body.accounts).toMatchObject([{ id, state: "ready" }])
  expect((await ask("GET", "/accounts")).body.total).toBe(3)
})

test("refreshing and testing report each account, and tell their progress to who wants it", async () => {
  const refreshed = await ask("POST", "/accounts/batch", { action: "refresh", ids: "all" })
  expect(refreshed.body.accounts.map((one: { status: string }) => one.status)).toEqual([
    "refreshed",
    "refreshed",
    "refreshed",
  ])
  const tested = await ask("POST", "/accounts/batch", { action: "test", ids: "all" }, { accept: "text/event-stream" })
  expect(tested.text.match(/^event: progress$/gm)).toHaveLength(3)
  expect(tested.text).toMatch(/event: done\ndata: .*"status":"ok".*"latency_ms":/)
})

test("what was exported and deleted for good comes back by importing it, sealed in the database", async () => {
  const { id, label } = await first()
  const exported = await ask("GET", `/accounts/export?format=flat&id=${id}`)
  const entries: readonly { readonly refresh_token: string }[] = JSON.parse(exported.text)
  expect(entries).toHaveLength(1)
  expect((await ask("DELETE", `/accounts/${id}`)).body.error).toMatchObject({ code: "confirmation_required" })
  expect((await ask("DELETE", `/accounts/${id}?confirm=true`)).body.removed).toMatchObject([{ id }])
  expect((await ask("GET", `/accounts/${id}`)).status).toBe(404)
  const dry = await ask("POST", "/accounts/import?dry_run=true", exported.text)
  expect(dry.body).toMatchObject({ dry_run: true, counts: { added: 1 } })
  expect((await ask("GET", "/accounts")).body.total).toBe(2)
  const form = new FormData()
  form.set("file", new File([exported.text], "mine.json"))
  form.set("tags", "back")
  expect((await ask("POST", "/accounts/import", form)).body).toMatchObject({
    counts: { added: 1, refused: 0 },
    sources: [{ name: "mine.json", format: "flat" }],
  })
  const again = (await ask("GET", "/accounts?tag=back")).body.accounts
  expect(again).toMatchObject([{ id, label, source: { type: "store", file: null }, state: "ready" }])
  const refreshToken = entries[0]?.refresh_token ?? ""
  const data = join(gateway.folder, "data")
  // The door for a successor is a socket: it holds no bytes.
  const files = readdirSync(data, { withFileTypes: true }).flatMap(entry => (entry.isFile() ? [entry.name] : []))
  expect(files).toContain("core.db")
  for (const name of files) expect(readFileSync(join(data, name), "latin1")).not.toContain(refreshToken)
  expect((await ask("POST", `/accounts/${id}/refresh`)).body.accounts).toMatchObject([{ status: "refreshed" }])
})

test.each([
  ["half a JSON file", '{"accounts":[{"token":"eyJ', "refused"],
  ["nothing", "", "refused"],
  ["a token of another vendor", "sk-ant-oat01-abcdef", "refused"],
])("%s is refused with its reason, and the pool goes on", async (_, text, outcome) => {
  const { status, body } = await ask("POST", "/accounts/import", text)
  expect(status).toBe(200)
  expect(body.results).toMatchObject([{ outcome, reason: expect.any(String) }])
  expect((await ask("GET", "/accounts")).body.total).toBe(3)
})

test.each([
  ["POST", "/accounts/import?format=nonsense", "{}", "unknown_format"],
  ["POST", "/accounts/batch", { action: "explode", ids: "all" }, "invalid_order"],
  ["POST", "/accounts/batch", { action: "pause", ids: [7] }, "invalid_order"],
  ["POST", "/accounts/batch", "{", "invalid_json"],
  ["POST", "/accounts/nobody/pause", undefined, "account_not_found"],
  ["GET", "/accounts/nobody", undefined, "account_not_found"],
  ["PATCH", "/accounts/nobody", { label: 7 }, "invalid_order"],
  ["GET", "/accounts/export?format=tokens", undefined, "unknown_format"],
])("%s %s %p is refused as %s", async (method, path, body, code) => {
  const reply = await ask(method, path, body)
  expect(reply.status).toBeGreaterThanOrEqual(400)
  expect(reply.status).toBeLessThan(500)
  expect(reply.body.error).toMatchObject({ code, message: expect.any(String) })
})
