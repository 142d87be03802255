/** What the upstream refuses before a stream, and what becomes of the request: who serves it, and how often was asked. */

import { expect, setDefaultTimeout, test } from "bun:test"

import { isJsonObject, type JsonObject } from "#core/json.ts"
import type { Script } from "#simulator/scripts/scripts.ts"

import { chat, type FaultGateway, type Reply, type StatsBody, startOwnGateway, turn } from "./fixture.ts"

setDefaultTimeout(20_000)

/** Asks once under the given scripts; accounts of the turns in order. */
async function ask(gateway: FaultGateway, scripts: readonly Script[], body: JsonObject = turn()) {
  gateway.control.clearScripts()
  gateway.control.clearRecorded()
  for (const script of scripts) gateway.control.script(script)
  const reply = await gateway.post("messages" in body ? "/v1/chat/completions" : "/v1/responses", body)
  return { reply, accounts: gateway.turns().map(({ account }) => account ?? "") }
}

function errorOf(reply: Reply): JsonObject {
  const error = reply.json()["error"]
  if (!isJsonObject(error)) throw new Error(`no error object: ${reply.text}`)
  expect(Object.keys(error)).toEqual(expect.arrayContaining(["message", "type", "param", "code"]))
  expect(reply.headers.get("x-request-id")).toMatch(/^req_/)
  return error
}

async function statsOf(gateway: FaultGateway): Promise<StatsBody> {
  return (await gateway.get("/stats")).json() as unknown as StatsBody
}

const refreshes = (gateway: FaultGateway) => gateway.control.recorded({ path: "/oauth/token" }).length

test.concurrent("401 expired: one refresh, the same account, success", async () => {
  await using gateway = await startOwnGateway({ accounts: 1 })
  gateway.control.markAccess("account-1", "expired")
  const { reply, accounts } = await ask(gateway, [])
  expect(reply.status).toBe(200)
  // The upstream cannot say whose the expired token was.
  expect(accounts).toEqual(["", "account-1"])
  expect(refreshes(gateway)).toBe(1)
})

test.concurrent("fault 25: 100 parallel 401s on one account cause one refresh", async () => {
  await using gateway = await startOwnGateway({ accounts: 1, settings: { "account-concurrency": 100 } })
  await gateway.earnRetries(120)
  gateway.control.clearRecorded()
  gateway.control.markAccess("account-1", "expired")
  const replies = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      gateway.post("/v1/chat/completions", chat({ text: `parallel ${index}` })),
    ),
  )
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(100)
  expect(refreshes(gateway)).toBe(1)
})

test.concurrent("401 for ever on one account: another one serves, after one refresh", async () => {
  await using gateway = await startOwnGateway()
  const script = { scenario: "token-invalidated", account: "account-1" }
  const { reply, accounts } = await ask(gateway, [
    script,
    { scenario: "token-invalidated", account: "account-2", times: 0 },
  ])
  expect(reply.status).toBe(200)
  expect(accounts.at(-1)).toBe("account-2")
  const onFirst = accounts.filter(account => account === "account-1")
  expect(onFirst.length).toBeLessThanOrEqual(2)
  expect(refreshes(gateway)).toBeLessThanOrEqual(1)
})

test.concurrent("401 on every account becomes 503 account_unavailable, never 401", async () => {
  await using gateway = await startOwnGateway()
  const { reply, accounts } = await ask(gateway, [{ scenario: "token-revoked" }])
  expect(reply.status).toBe(503)
  expect(errorOf(reply)).toMatchObject({ type: "server_error", code: "account_unavailable" })
  expect(accounts.length).toBeLessThanOrEqual(4)
  const again = await gateway.post("/v1/responses", turn({ text: "once more" }))
  expect(again.status).toBe(503)
})

test.concurrent.each([
  { scenario: "deactivated-workspace", status: "error" },
  { scenario: "payment-required", status: "cooldown" },
  { scenario: "access-restricted", status: "cooldown" },
  { scenario: "account-deactivated", status: "error" },
  { scenario: "missing-scope", status: "cooldown" },
])("$scenario on one account: another one serves and the first is out", async ({ scenario, status }) => {
  await using gateway = await startOwnGateway()
  const first = await ask(gateway, [{ scenario, times: 1 }])
  expect(first.reply.status).toBe(200)
  expect(first.accounts).toHaveLength(2)
  expect(new Set(first.accounts).size).toBe(2)
  expect((await statsOf(gateway)).accounts.map(account => account.status).toSorted()).toEqual(
    [status, "ready"].toSorted(),
  )
})

test.concurrent("fault 19: a challenge page blocks the way out for a while, not the account", async () => {
  await using gateway = await startOwnGateway()
  const { reply, accounts } = await ask(gateway, [{ scenario: "challenge" }])
  expect(reply.status).toBe(502)
  expect(errorOf(reply)).toMatchObject({ type: "server_error", code: "upstream_blocked" })
  expect(reply.text).not.toContain("_cf_chl")
  // Both accounts share the way out that was challenged.
  expect(accounts).toHaveLength(1)
})

test.concurrent("404 for the model: another account is asked, then the client gets model_not_found", async () => {
  await using gateway = await startOwnGateway()
  const { reply, accounts } = await ask(gateway, [{ scenario: "model-not-found" }])
  expect(reply.status).toBe(404)
  expect(errorOf(reply)).toMatchObject({ type: "invalid_request_error", code: "model_not_found", param: "model" })
  expect(new Set(accounts).size).toBe(2)
})

test.concurrent("fault 1: after a usage limit the account rests until its reset and another one serves", async () => {
  await using gateway = await startOwnGateway()
  const resetsInSec = 5 * 24 * 3600
  const { reply, accounts } = await ask(gateway, [{ scenario: "usage-limit", settings: { resetsInSec }, times: 1 }])
  expect(reply.status).toBe(200)
  expect(new Set(accounts).size).toBe(2)
  const resting = (await statsOf(gateway)).accounts.find(account => account.status === "cooldown")
  expect(resting?.reason).toBe("quota")
  const restSec = (Date.parse(resting?.until ?? "") - Date.now()) / 1000
  // A second of margin, twelve of spread; what the test itself has taken is missing at the other end.
  expect(restSec).toBeGreaterThan(resetsInSec - 60)
  expect(restSec).toBeLessThan(resetsInSec + 14)
  gateway.control.clearRecorded()
  for (let index = 0; index < 5; index += 1) await gateway.post("/v1/responses", turn({ text: `later ${index}` }))
  expect(new Set(gateway.turns().map(({ account }) => account))).toEqual(new Set([accounts.at(-1)]))
})

test.concurrent("fault 12: when every account is spent, one 429 names the earliest reset and nothing is sent upstream", async () => {
  await using gateway = await startOwnGateway()
  const { reply } = await ask(gateway, [
    { scenario: "usage-limit", account: "account-1", settings: { resetsInSec: 7200 } },
    { scenario: "usage-limit", account: "account-2", settings: { resetsInSec: 3600 } },
  ])
  for (const answer of [reply, await gateway.post("/v1/chat/completions", chat({ text: "after" }))]) {
    expect(answer.status).toBe(429)
    const retryAfterSec = Number(answer.headers.get("retry-after"))
    expect(retryAfterSec).toBeGreaterThan(3500)
    expect(retryAfterSec).toBeLessThan(4000)
    expect(errorOf(answer)).toMatchObject({ code: "usage_limit_reached", resets_at: expect.any(Number) })
  }
  expect(gateway.turns()).toHaveLength(2)
})

test.concurrent("fault 3: a burst 429 completes elsewhere; the account is back within seconds", async () => {
  await using gateway = await startOwnGateway()
  const { reply, accounts } = await ask(gateway, [{ scenario: "burst", times: 1 }])
  expect(reply.status).toBe(200)
  expect(new Set(accounts).size).toBe(2)
})

test.concurrent("fault 47: three unlucky burst 429s of a large pool are not passed on as 429", async () => {
  await using gateway = await startOwnGateway({ accounts: 28 })
  const { reply, accounts } = await ask(gateway, [{ scenario: "burst", settings: { retryAfterSec: 30 } }])
  expect(reply.status).toBe(503)
  expect(reply.headers.get("retry-after")).not.toBeNull()
  expect(errorOf(reply)["type"]).toBe("server_error")
  expect(accounts.length).toBeLessThanOrEqual(4)
})

test.concurrent.each(["server-error", "bad-gateway", "overloaded"])("%s once: tried again, success", async scenario => {
  await using gateway = await startOwnGateway()
  const { reply, accounts } = await ask(gateway, [{ scenario, times: 1 }])
  expect(reply.status).toBe(200)
  expect(accounts).toHaveLength(2)
})

test.concurrent.each([
  { scenario: "html-200", code: "upstream_error" },
  { scenario: "json-200", code: expect.any(String) },
  { scenario: "detail-200", code: expect.any(String) },
])("$scenario instead of a stream is a failure that another try repairs", async ({ scenario, code }) => {
  await using gateway = await startOwnGateway()
  for (const body of [turn(), chat({ stream: true })]) {
    const { reply, accounts } = await ask(gateway, [{ scenario, times: 1 }], body)
    expect({ status: reply.status, tries: accounts.length }).toEqual({ status: 200, tries: 2 })
  }
  const { reply } = await ask(gateway, [{ scenario }])
  expect(reply.status).toBeGreaterThanOrEqual(500)
  expect(errorOf(reply)).toMatchObject({ type: "server_error", code })
  expect(reply.text).not.toContain("<html")
})

test.concurrent("fault 46: an empty answer is tried once more elsewhere, then passed on", async () => {
  await using gateway = await startOwnGateway({ accounts: 3 })
  const once = await ask(gateway, [{ scenario: "empty", times: 1 }], chat())
  expect(once.reply.status).toBe(200)
  expect(new Set(once.accounts).size).toBe(2)
  const always = await ask(gateway, [{ scenario: "empty" }], chat({ text: "empty again" }))
  expect(always.reply.status).toBe(200)
  expect(always.accounts).toHaveLength(2)
  expect(always.reply.json()["choices"]).toMatchObject([{ message: { content: "" }, finish_reason: "stop" }])
})

test.concurrent("fault 54: refused encrypted content is taken out and the same account is asked once more", async () => {
  await using gateway = await startOwnGateway()
  const body = {
    ...turn(),
    input: [
      { type: "message", role: "user", content: [{ type: "input_text", text: "marigold-lantern first" }] },
      { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "gAAAAforeign" },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "answer" }] },
      { type: "message", role: "user", content: [{ type: "input_text", text: "marigold-lantern second" }] },
    ],
  }
  const { reply, accounts } = await ask(gateway, [{ scenario: "encrypted-content", times: 1 }], body)
  expect(reply.status).toBe(200)
  expect(accounts).toHaveLength(2)
  expect(accounts[0]).toBe(accounts[1] ?? "")
  const [first, second] = gateway.turns().map(record => JSON.stringify(record.body))
  expect(first).toContain("gAAAAforeign")
  expect(second).not.toContain("gAAAAforeign")
  const forEver = await ask(gateway, [{ scenario: "encrypted-content" }], body)
  expect(forEver.reply.status).toBe(400)
  expect(errorOf(forEver.reply)).toMatchObject({ type: "invalid_request_error", code: "invalid_encrypted_content" })
  expect(forEver.accounts).toHaveLength(2)
})

test.concurrent.each(["context-length", "context-overflow"])(
  "fault 22: %s is returned at once, one account used",
  async scenario => {
    await using gateway = await startOwnGateway()
    const { reply, accounts } = await ask(gateway, [{ scenario }], chat({ stream: true }))
    expect(reply.status).toBe(400)
    expect(errorOf(reply)).toMatchObject({ type: "invalid_request_error", code: "context_length_exceeded" })
    expect(accounts).toHaveLength(1)
    expect((await statsOf(gateway)).pool.available).toBe(2)
  },
)

test.concurrent.each([0, 1, 2])("max-retry %d: at most that many further accounts", async maxRetry => {
  await using gateway = await startOwnGateway({ accounts: 5, settings: { "max-retry": maxRetry } })
  const { reply, accounts } = await ask(gateway, [{ scenario: "payment-required" }])
  expect(reply.status).toBe(503)
  expect(accounts).toHaveLength(maxRetry + 1)
  expect(new Set(accounts).size).toBe(maxRetry + 1)
})

test.concurrent("max-retry 0 holds although a refused account cannot be refreshed", async () => {
  await using gateway = await startOwnGateway({ accounts: 3, settings: { "max-retry": 0 } })
  for (const { name } of gateway.control.accounts()) gateway.control.markRefresh(name, "invalidated")
  const { reply, accounts } = await ask(gateway, [{ scenario: "token-expired" }])
  expect(reply.status).toBe(503)
  expect(errorOf(reply)["code"]).toBe("account_unavailable")
  expect(accounts).toHaveLength(1)
})

test.concurrent("no request is sent more than four times, whatever fails", async () => {
  await using gateway = await startOwnGateway({ accounts: 10, settings: { "max-retry": 9 } })
  const { reply, accounts } = await ask(gateway, [{ scenario: "overloaded" }])
  expect(reply.status).toBe(503)
  expect(errorOf(reply)).toMatchObject({ type: "server_error", code: "server_is_overloaded" })
  expect(accounts).toHaveLength(4)
})

test.concurrent("fault 48: in a storm of 500s the load stays within 1.2 times the requests and a floor of ten", async () => {
  await using gateway = await startOwnGateway({ accounts: 10, settings: { "account-concurrency": 50 } })
  gateway.control.clearRecorded()
  gateway.control.script({ scenario: "server-error" })
  const replies = await Promise.all(
    Array.from({ length: 200 }, (_, index) => gateway.post("/v1/responses", turn({ text: `storm ${index}` }))),
  )
  expect(replies.filter(({ status }) => status === 502)).toHaveLength(200)
  expect(gateway.turns().length).toBeLessThanOrEqual(200 * 1.2 + 10)
  // No account is to blame for an outage of the upstream: they rest for seconds, one always stays, and it heals by itself.
  for (const { status, until } of (await statsOf(gateway)).accounts) {
    expect(["ready", "cooldown"]).toContain(status)
    if (until !== undefined) expect(Date.parse(until) - Date.now()).toBeLessThan(30_000)
  }
  gateway.control.clearScripts()
  expect((await gateway.post("/v1/responses", turn({ text: "afterwards" }))).status).toBe(200)
})

test.concurrent("fault 16: a 503 on the only account does not keep the next request from it", async () => {
  await using gateway = await startOwnGateway({ accounts: 1 })
  await ask(gateway, [{ scenario: "overloaded" }])
  const { reply } = await ask(gateway, [], turn({ text: "afterwards" }))
  expect(reply.status).toBe(200)
})
