/** dvcrn/codex-proxy's two routes. */

import { afterAll, beforeAll, expect, test } from "bun:test"

import { type InProcessGateway, startInProcessGateway } from "../../../support/in-process-gateway.ts"

const ADMIN_KEY = "admin-key-of-the-test"

let gateway: InProcessGateway

beforeAll(async () => {
  gateway = await startInProcessGateway({ config: { adminKey: ADMIN_KEY } })
})
afterAll(() => gateway.stop())

const BEARER = { authorization: `Bearer ${ADMIN_KEY}` }
const put = (body: unknown, headers: Record<string, string> = BEARER) =>
  gateway.ask("POST", "/admin/credentials", body, headers)
const status = (headers: Record<string, string> = BEARER) =>
  gateway.ask("GET", "/admin/credentials/status", undefined, headers)

test("without an account there is nothing to tell of", async () => {
  expect((await status()).json).toEqual({ type: "oauth", hasCredentials: false, error: "There is no account yet." })
})

test("a credential is put in and its time is told; the key may come as Bearer or X-API-Key", async () => {
  const { access_token, refresh_token, account_id } = gateway.simulator.control.accountFile("account-1")
  const body = {
    accessToken: access_token,
    refreshToken: refresh_token,
    expiresAt: Date.now() + 3_600_000,
    userID: "u",
  }
  const answer = await put(body, { "x-api-key": ADMIN_KEY })
  expect(answer.status).toBe(200)
  expect(answer.json).toMatchObject({ status: "success", message: "Credentials updated successfully" })
  const { json } = await status({ "x-api-key": ADMIN_KEY })
  expect(Object.keys(json)).toEqual([
    "type",
    "hasCredentials",
    "userID",
    "expiresAt",
    "minutesUntilExpiry",
    "isExpired",
    "needsRefreshSoon",
    "accounts",
  ])
  expect(json).toMatchObject({ type: "oauth", hasCredentials: true, userID: account_id, isExpired: false, accounts: 1 })
  expect(json.minutesUntilExpiry).toBe(Math.trunc((json.expiresAt - Date.now()) / 60_000))
  expect((await put(body)).status).toBe(200)
  expect((await status()).json.accounts).toBe(1)
})

test.each([
  ["half of it", '{"accessToken": "x'],
  ["no refresh token", { accessToken: "x", expiresAt: 1 }],
  ["a time that is text", { accessToken: "x", refreshToken: "rt_1", expiresAt: "tomorrow" }],
  ["another service's token", { accessToken: "ghp_abc", refreshToken: "rt_1", expiresAt: 4e12 }],
])("%s is refused in plain text", async (_, body) => {
  const answer = await put(body)
  expect([answer.status, answer.headers.get("content-type")]).toEqual([400, "text/plain; charset=utf-8"])
  expect(answer.text.length).toBeGreaterThan(10)
  expect(answer.text).not.toContain("ghp_abc")
})

test("without the admin key, with a wrong one and with a client key nobody gets in", async () => {
  expect((await status({})).status).toBe(401)
  expect((await status({ "x-api-key": "wrong" })).status).toBe(401)
  const client = await status({ authorization: `Bearer ${gateway.clientKey}` })
  expect([client.status, client.text]).toEqual([403, expect.stringContaining("A client key does not open")])
})
