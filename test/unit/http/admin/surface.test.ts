/** Who gets to the operators' surface, on every route of it; and names in addresses. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"

import { type InProcessGateway, startInProcessGateway } from "../../../support/in-process-gateway.ts"
import { ROOT } from "../../../support/source-tree.ts"

const ADMIN_KEY = "admin-key-of-the-test"

/** Method and path of every route; an id stands for itself. */
const ROUTES: readonly (readonly [method: string, path: string])[] = [
  ["GET", "/api/admin"],
  ["GET", "/api/admin/accounts"],
  ["POST", "/api/admin/accounts"],
  ["POST", "/api/admin/accounts/at"],
  ["POST", "/api/admin/accounts/batch"],
  ["POST", "/api/admin/accounts/import"],
  ["GET", "/api/admin/accounts/export"],
  ["POST", "/api/admin/accounts/export"],
  ["GET", "/api/admin/accounts/acc_1"],
  ["PATCH", "/api/admin/accounts/acc_1"],
  ["DELETE", "/api/admin/accounts/acc_1"],
  ["POST", "/api/admin/accounts/acc_1/refresh"],
  ["GET", "/api/admin/accounts/acc_1/cookies"],
  ["POST", "/api/admin/accounts/acc_1/cookies"],
  ["DELETE", "/api/admin/accounts/acc_1/cookies"],
  ["POST", "/api/admin/oauth/start"],
  ["POST", "/api/admin/oauth/finish"],
  ["POST", "/api/admin/oauth/device/start"],
  ["POST", "/api/admin/oauth/device/poll"],
  ["DELETE", "/api/admin/oauth/login_1"],
  ["GET", "/api/admin/proxies"],
  ["POST", "/api/admin/proxies"],
  ["GET", "/api/admin/proxies/px_1"],
  ["PATCH", "/api/admin/proxies/px_1"],
  ["DELETE", "/api/admin/proxies/px_1"],
  ["POST", "/api/admin/proxies/px_1/check"],
  ["POST", "/api/admin/proxies/check"],
  ["POST", "/api/admin/proxies/batch"],
  ["GET", "/api/admin/proxies/assignments"],
  ["POST", "/api/admin/proxies/assign"],
  ["POST", "/api/admin/proxies/import"],
  ["GET", "/api/admin/proxies/export"],
  ["POST", "/api/admin/proxies/export"],
  ["POST", "/api/admin/proxies/test"],
  ["POST", "/api/admin/proxies/test-all"],
  ["POST", "/api/admin/proxies/batch-delete"],
  ["POST", "/api/admin/proxies/clean-error"],
  ["POST", "/api/admin/proxies/auto-balance"],
  ["GET", "/api/proxies"],
  ["POST", "/api/proxies"],
  ["PUT", "/api/proxies/px_1"],
  ["DELETE", "/api/proxies/px_1"],
  ["POST", "/api/proxies/px_1/check"],
  ["POST", "/api/proxies/px_1/enable"],
  ["POST", "/api/proxies/px_1/disable"],
  ["POST", "/api/proxies/check-all"],
  ["POST", "/api/proxies/assign"],
  ["DELETE", "/api/proxies/assign/acc_1"],
  ["POST", "/api/proxies/assign-bulk"],
  ["POST", "/api/proxies/assign-rule"],
  ["GET", "/api/proxies/assignments"],
  ["GET", "/api/proxies/assignments/export"],
  ["POST", "/api/proxies/assignments/import"],
  ["POST", "/api/proxies/assignments/apply"],
  ["GET", "/api/proxies/export"],
  ["POST", "/api/proxies/import"],
  ["POST", "/admin/credentials"],
  ["GET", "/admin/credentials/status"],
  ["POST", "/admin/accounts"],
  ["POST", "/admin/accounts/ingest"],
  ["POST", "/recover-auth"],
  ["GET", "/auth/accounts"],
  ["POST", "/auth/accounts"],
  ["POST", "/auth/accounts/import"],
  ["GET", "/auth/accounts/export"],
  ["POST", "/auth/accounts/batch-delete"],
  ["POST", "/auth/accounts/batch-status"],
  ["POST", "/auth/accounts/health-check"],
  ["DELETE", "/auth/accounts/acc_1"],
  ["POST", "/auth/accounts/acc_1/refresh"],
  ["GET", "/auth/accounts/acc_1/quota"],
  ["PATCH", "/auth/accounts/acc_1/label"],
  ["GET", "/auth/accounts/acc_1/cookies"],
  ["POST", "/auth/accounts/acc_1/cookies"],
  ["DELETE", "/auth/accounts/acc_1/cookies"],
]

/** Statuses by route for one set of headers. */
async function statuses(gateway: InProcessGateway, headers: Record<string, string>) {
  const found: Record<string, number[]> = {}
  for (const [method, path] of ROUTES) {
    const { status } = await gateway.ask(method, path, undefined, headers)
    found[status] = [...(found[status] ?? []), ROUTES.findIndex(route => route[0] === method && route[1] === path)]
  }
  return found
}

const ALL = ROUTES.map((_, index) => index)

describe("without an admin key", () => {
  let gateway: InProcessGateway
  beforeAll(async () => {
    gateway = await startInProcessGateway()
  })
  afterAll(() => gateway.stop())

  test("who sits at this machine gets in", async () => {
    expect(Object.keys(await statuses(gateway, {}))).not.toContain("403")
    expect(Object.keys(await statuses(gateway, { origin: gateway.url }))).not.toContain("403")
  })

  test.each([
    ["a page of another site", { origin: "https://example.com" }],
    ["a page without an origin", { origin: "null" }],
    ["a picture or script of another site's page", { "sec-fetch-site": "cross-site" }],
    ["another host name pointed here", { host: "example.com" }],
    ["a proxy's client", { "x-forwarded-for": "10.0.0.9" }],
    ["a proxy's client, in the standard's words", { forwarded: "for=10.0.0.9" }],
    ["a tunnel's client", { "cf-connecting-ip": "10.0.0.9" }],
  ])("%s does not", async (_, headers) => {
    expect(await statuses(gateway, headers)).toEqual({ 403: ALL })
  })

  test("a client key from elsewhere is told that it is none", async () => {
    const headers = { "x-forwarded-for": "10.0.0.9", authorization: `Bearer ${gateway.clientKey}` }
    const answer = await gateway.ask("GET", "/api/admin/accounts", undefined, headers)
    expect([answer.status, answer.json.error.code]).toEqual([403, "client_key_is_no_admin_key"])
  })
})

describe("with an admin key", () => {
  let gateway: InProcessGateway
  beforeAll(async () => {
    gateway = await startInProcessGateway({ files: 1, config: { adminKey: ADMIN_KEY } })
  })
  afterAll(() => gateway.stop())

  test.each([
    ["no key", {}],
    ["a wrong key", { "x-admin-key": "wrong" }],
    ["the key with more behind it", { "x-admin-key": `${ADMIN_KEY}x` }],
    ["a wrong key as Bearer", { authorization: "Bearer wrong" }],
  ])("%s opens nothing", async (_, headers) => {
    expect(await statuses(gateway, headers)).toEqual({ 401: ALL })
  })

  test("a client key opens nothing, and is told which one does", async () => {
    const headers = { authorization: `Bearer ${gateway.clientKey}` }
    expect(await statuses(gateway, headers)).toEqual({ 403: ALL })
    const { json } = await gateway.ask("GET", "/auth/accounts/export", undefined, headers)
    expect(json).toMatchObject({ code: "client_key_is_no_admin_key", hint: expect.stringContaining("X-Admin-Key") })
  })

  test.each([
    [{ "x-admin-key": ADMIN_KEY }],
    [{ authorization: `Bearer ${ADMIN_KEY}` }],
    [{ "x-api-key": ADMIN_KEY, "x-forwarded-for": "10.0.0.9", origin: "https://example.com" }],
  ])("the key gets in from anywhere: %j", async headers => {
    const found = await statuses(gateway, headers)
    expect(found[401] ?? found[403]).toBeUndefined()
    expect(found[200]?.length).toBeGreaterThan(5)
  })

  test("the key is not in the log", () => {
    expect(gateway.log()).not.toContain(ADMIN_KEY)
  })
})

test("the page of the surface, and that of the adapters, name every route", () => {
  const pages = ["admin-api.md", "moving.md", "proxies.md"]
    .map(name => readFileSync(join(ROOT, "docs", name), "utf8"))
    .join("\n")
  const named = (path: string) => {
    const written = path
      .replace("acc_1", "{id}")
      .replace("px_1", "{id}")
      .replace("login_1", "{login_id}")
      .replace(/\/refresh$/, "/{order}")
    // Tables of one prefix shorten it to dots.
    return [path, written, written.replace("{order}", "refresh"), written.replace(/^\/auth\/accounts/, "…")].some(
      text => pages.includes(text.replace("…/{id}/{order}", "…/{id}/refresh")),
    )
  }
  expect(ROUTES.filter(([, path]) => !named(path))).toEqual([])
})

describe("an order that is not known", () => {
  let gateway: InProcessGateway
  beforeAll(async () => {
    gateway = await startInProcessGateway()
  })
  afterAll(() => gateway.stop())

  test("is told which ones are", async () => {
    const inBody = await gateway.ask("POST", "/api/admin/accounts/batch", { action: "dance", ids: "all" })
    expect([inBody.status, inBody.json.error.hint]).toEqual([400, expect.stringContaining('"pause", "enable"')])
    const inAddress = await gateway.ask("POST", "/api/admin/accounts/acc_1/dance")
    expect([inAddress.status, inAddress.json.error.hint]).toEqual([404, expect.stringContaining("pause, enable")])
  })
})

describe("names in addresses", () => {
  let gateway: InProcessGateway
  beforeAll(async () => {
    gateway = await startInProcessGateway({ files: 1 })
  })
  afterAll(() => gateway.stop())

  test("an account is found by a label with any characters, encoded once", async () => {
    const [{ id }] = (await gateway.ask("GET", "/api/admin/accounts")).json.accounts
    const label = "100 % ours/team a?b#c"
    await gateway.ask("PATCH", `/api/admin/accounts/${id}`, { label })
    const path = `/api/admin/accounts/${encodeURIComponent(label)}`
    expect((await gateway.ask("GET", path)).json.id).toBe(id)
    expect((await gateway.ask("GET", `${path}/cookies`)).json).toEqual({ cookies: [] })
    expect((await gateway.ask("GET", "/api/admin/accounts/%25zz")).status).toBe(404)
  })
})
