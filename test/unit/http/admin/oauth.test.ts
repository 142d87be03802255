/** Sign-in over HTTP, against the simulator's sign-in service. */

import { afterAll, beforeAll, expect, test } from "bun:test"
import { join } from "node:path"

import { type InProcessGateway, startInProcessGateway } from "../../../support/in-process-gateway.ts"

let gateway: InProcessGateway

beforeAll(async () => {
  gateway = await startInProcessGateway()
})
afterAll(() => gateway.stop())

const start = async () => (await gateway.ask("POST", "/api/admin/oauth/start")).json
const finish = (login_id: string, callback: string) =>
  gateway.ask("POST", "/api/admin/oauth/finish", { login_id, callback })
const cancel = (id: string) => gateway.ask("DELETE", `/api/admin/oauth/${id}`)

/** Opens the page as a browser would; returns the address it is sent to, without going there. */
async function agree(url: string, account: string): Promise<string> {
  gateway.simulator.control.chooseLogin(account)
  return (await fetch(url, { redirect: "manual" })).headers.get("location") ?? ""
}

async function serves(): Promise<number> {
  const body = { model: "gpt-5.5", input: "hello" }
  const headers = { authorization: `Bearer ${gateway.clientKey}` }
  return (await gateway.ask("POST", "/v1/responses", body, headers)).status
}

test("a pasted address makes an account that serves and says where it came from", async () => {
  expect(await serves()).not.toBe(200)
  const login = await start()
  expect(login.login_id).toMatch(/^login_[0-9a-f]{32}$/)
  expect(login.redirect_uri).toBe("http://localhost:1455/auth/callback")
  expect(login.url).toStartWith(`${gateway.simulator.url}/oauth/authorize?`)
  expect(Date.parse(login.expires_at) - Date.now()).toBeGreaterThan(500_000)
  const answer = await finish(login.login_id, await agree(login.url, "account-1"))
  expect(answer.status).toBe(200)
  const { id } = answer.json
  expect(id).toMatch(/^acc_/)
  expect(answer.json).toMatchObject({
    email: gateway.simulator.control.accountFile("account-1").email,
    state: "ready",
    source: { type: "store" },
    credential: { can_refresh: true },
  })
  expect(answer.text).not.toContain("access_token")
  expect(await serves()).toBe(200)
  await gateway.restart()
  expect((await gateway.ask("GET", `/api/admin/accounts/${id}`)).json.state).toBe("ready")
})

test("the code alone is enough, and counts once", async () => {
  const login = await start()
  const code = new URL(await agree(login.url, "account-2")).searchParams.get("code") ?? ""
  expect((await finish(login.login_id, ` ${code}\n`)).status).toBe(200)
  const again = await finish(login.login_id, code)
  expect(again.status).toBe(400)
  expect(again.json.error).toMatchObject({ code: "login_used", hint: expect.any(String) })
})

test("an answer of another sign-in decides nothing, and the right one still counts afterwards", async () => {
  const [mine, other] = [await start(), await start()]
  const foreign = await finish(mine.login_id, await agree(other.url, "account-1"))
  expect([foreign.status, foreign.json.error.code]).toEqual([400, "wrong_state"])
  const page = await finish(mine.login_id, mine.url)
  expect([page.status, page.json.error.code]).toEqual([400, "sign_in_page"])
  const nonsense = await finish(mine.login_id, "hello there")
  expect([nonsense.status, nonsense.json.error.code]).toEqual([400, "unreadable_answer"])
  const again = await finish(mine.login_id, await agree(mine.url, "account-1"))
  // Known already: what is new is its credential.
  expect([again.status, again.json.credential.generation]).toEqual([200, 1])
})

test("an account that lives in a file gets its credential there, and keeps what was set", async () => {
  const own = await startInProcessGateway({ files: 1 })
  try {
    const [{ id }] = (await own.ask("GET", "/api/admin/accounts")).json.accounts
    await own.ask("PATCH", `/api/admin/accounts/${id}`, { note: "ours", enabled: false })
    const login = (await own.ask("POST", "/api/admin/oauth/start")).json
    const callback = (await fetch(login.url, { redirect: "manual" })).headers.get("location")
    const answer = await own.ask("POST", "/api/admin/oauth/finish", { login_id: login.login_id, callback })
    expect(answer.json).toMatchObject({
      id,
      note: "ours",
      state: "paused",
      source: { type: "file", file: "account-1.json" },
    })
    const { access_token } = await Bun.file(join(own.folder, "auths", "account-1.json")).json()
    expect(access_token).toBe(own.simulator.control.accountFile("account-1").access_token)
  } finally {
    await own.stop()
  }
})

test("a refusal of the page is told with what to do, and ends the sign-in", async () => {
  const login = await start()
  const state = new URL(login.url).searchParams.get("state")
  const denied = `http://localhost:1455/auth/callback?error=access_denied&error_description=missing_codex_entitlement&state=${state}`
  const answer = await finish(login.login_id, denied)
  expect(answer.status).toBe(400)
  expect(answer.json.error).toMatchObject({
    code: "missing_codex_entitlement",
    hint: expect.stringContaining("administrator"),
  })
  expect((await finish(login.login_id, denied)).json.error.code).toBe("login_used")
})

test("a code that the service does not know is refused with its reason", async () => {
  const login = await start()
  const answer = await finish(login.login_id, "ac_made-up")
  expect([answer.status, answer.json.error.code]).toEqual([400, "invalid_grant"])
})

test("a sign-in that was called off is not known any more", async () => {
  const login = await start()
  expect((await cancel(login.login_id)).json).toEqual({ cancelled: true })
  const answer = await finish(login.login_id, await agree(login.url, "account-1"))
  expect([answer.status, answer.json.error.code]).toEqual([404, "login_not_found"])
  expect((await cancel(login.login_id)).status).toBe(404)
})

test("more sign-ins than are kept push the oldest out", async () => {
  const first = await start()
  for (let number = 0; number < 32; number += 1) await start()
  expect((await finish(first.login_id, "ac_1")).status).toBe(404)
})

test("a device sign-in names page and code, and is pending at the service's pace", async () => {
  gateway.simulator.control.setRules({ deviceIntervalSec: 5 })
  const started = await gateway.ask("POST", "/api/admin/oauth/device/start")
  expect(started.json).toMatchObject({
    verification_url: `${gateway.simulator.url}/codex/device`,
    user_code: expect.stringMatching(/^\w{4}-\w{4}$/),
    interval_sec: 8,
  })
  const { login_id } = started.json
  const poll = () => gateway.ask("POST", "/api/admin/oauth/device/poll", { login_id })
  gateway.simulator.control.clearRecorded()
  expect((await poll()).json).toMatchObject({ status: "pending", retry_in_sec: expect.any(Number) })
  expect(gateway.simulator.control.recorded({ path: "/api/accounts/deviceauth/token" })).toEqual([])
  expect((await finish(login_id, "ac_1")).json.error.code).toBe("login_of_other_kind")
  expect((await cancel(login_id)).status).toBe(200)
  expect((await poll()).status).toBe(404)
})

test.each([
  ["/finish", '{"login_id": "lo'],
  ["/finish", "{}"],
  ["/finish", '{"login_id": 5, "callback": "x"}'],
  ["/device/poll", "[]"],
])("the body of %s has to be whole: %s", async (path, body) => {
  const answer = await gateway.ask("POST", `/api/admin/oauth${path}`, body)
  expect(answer.status).toBe(400)
  expect(answer.json.error.message).toBeString()
})

test("a client that goes away during the exchange does not stop it", async () => {
  const before = (await gateway.ask("GET", "/api/admin/accounts")).json.total
  gateway.simulator.control.script({ endpoint: "token", settings: { headersDelayMs: 150 }, times: 1 })
  const login = await start()
  const callback = await agree(login.url, "account-3")
  gateway.simulator.control.clearRecorded()
  const gone = new AbortController()
  const asking = fetch(`${gateway.url}/api/admin/oauth/finish`, {
    method: "POST",
    body: JSON.stringify({ login_id: login.login_id, callback }),
    signal: gone.signal,
  }).catch(() => "gone")
  while (gateway.simulator.control.recorded({ path: "/oauth/token" }).length === 0) await Bun.sleep(2)
  gone.abort()
  expect(await asking).toBe("gone")
  const total = async () => (await gateway.ask("GET", "/api/admin/accounts")).json.total
  for (let tries = 0; (await total()) === before && tries < 500; tries += 1) await Bun.sleep(5)
  expect(await total()).toBe(before + 1)
})

test("nothing of tokens and codes is in the log", () => {
  const { access_token, refresh_token } = gateway.simulator.control.accountFile("account-1")
  const log = gateway.log()
  expect(log.length).toBeGreaterThan(0)
  for (const secret of [access_token, refresh_token, "code=ac_", "ac_made-up"]) expect(log).not.toContain(secret)
})
