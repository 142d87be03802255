/** Trouble of one account or one endpoint that must not spread, and that ends by itself. */

import { expect, setDefaultTimeout, test } from "bun:test"

import { arrayAt, isJsonObject, type JsonObject, stringAt } from "#core/json.ts"

import { chat, type FaultGateway, PROMPT_MARK, type StatsBody, startOwnGateway, turn, until } from "./fixture.ts"

setDefaultTimeout(20_000)

async function availableOf(gateway: FaultGateway): Promise<number> {
  return ((await gateway.get("/stats")).json() as unknown as StatsBody).pool.available
}

test.concurrent("fault 4: a concurrency limit inside a stream is no failure to the client", async () => {
  await using gateway = await startOwnGateway()
  const message = "Concurrency limit exceeded for user, please retry later"
  for (const errorForm of ["pair", "flat", "failed"] as const) {
    gateway.control.script({ scenario: "failure", settings: { message, errorForm }, times: 1 })
    gateway.control.clearRecorded()
    const reply = await gateway.post("/v1/chat/completions", chat({ text: errorForm, stream: true }))
    expect(reply.status).toBe(200)
    expect(reply.text).toEndWith("data: [DONE]\n\n")
    expect(gateway.turns()).toHaveLength(2)
  }
  expect(await availableOf(gateway)).toBe(2)
})

test.concurrent("fault 17: while every address answers 404 no account is blamed, and it heals by itself", async () => {
  await using gateway = await startOwnGateway()
  for (const endpoint of ["responses", "compact", "models", "usage", "token"] as const) {
    gateway.control.script({ scenario: "not-found", endpoint })
  }
  for (let index = 0; index < 5; index += 1) {
    expect((await gateway.post("/v1/responses", turn({ text: `lost ${index}` }))).status).toBe(502)
    await gateway.post("/check-quota", "")
  }
  expect(await availableOf(gateway)).toBe(2)
  gateway.control.clearScripts()
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
})

test.concurrent.each(["unauthorized", "challenge", "not-found", "connector-limit"])(
  "fault 18: a usage endpoint that answers %s changes nothing about who serves",
  async refuse => {
    await using gateway = await startOwnGateway()
    gateway.control.script({ endpoint: "usage", settings: { refuse } })
    const reports = arrayAt((await gateway.post("/check-quota", "")).json(), "accounts") ?? []
    expect(reports.filter(isJsonObject).map(report => stringAt(report, "status"))).toEqual(["failed", "failed"])
    expect(await availableOf(gateway)).toBe(2)
    expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  },
)

test.concurrent("fault 36: while a token is being refreshed its old one still serves", async () => {
  await using gateway = await startOwnGateway({ accounts: 1 })
  gateway.control.script({ endpoint: "token", settings: { headersDelayMs: 400 } })
  const refreshing = gateway.post("/refresh", "")
  await until("the exchange has begun", () => gateway.control.recorded({ path: "/oauth/token" }).length === 1)
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  expect(gateway.control.recorded({ path: "/oauth/token" })[0]?.status).toBeUndefined()
  expect((await refreshing).status).toBe(200)
})

test.concurrent("fault 53: a conversation whose account is spent goes on elsewhere although it carries sealed reasoning", async () => {
  await using gateway = await startOwnGateway()
  const first = { type: "message", role: "user", content: [{ type: "input_text", text: `${PROMPT_MARK} one` }] }
  const ask = (input: readonly unknown[]) =>
    gateway.post("/v1/responses", { model: "gpt-5.5", input, include: ["reasoning.encrypted_content"] })
  gateway.control.script({ scenario: "reasoning", times: 1 })
  const output = (arrayAt((await ask([first])).json(), "output") ?? []).filter(isJsonObject)
  expect(output.some(item => stringAt(item, "encrypted_content") !== undefined)).toBe(true)
  const account = gateway.turns()[0]?.account ?? ""
  gateway.control.setQuota(account, { primary: { usedPercent: 100, resetsInSec: 7200 } })
  gateway.control.clearRecorded()
  const next = { ...first, content: [{ type: "input_text", text: `${PROMPT_MARK} two` }] }
  const reply = await ask([first, ...output, next])
  expect(reply.status).toBe(200)
  expect(gateway.turns().length).toBeLessThanOrEqual(3)
  expect(gateway.turns().at(-1)?.account).not.toBe(account)
})

test.concurrent("fault 55: two keys that send the same session id get different sessions upstream", async () => {
  const keys = ["sk-tenant-one-test", "sk-tenant-two-test"]
  await using gateway = await startOwnGateway({ settings: { "api-keys": ["sk-sluice-fault-test-key", ...keys] } })
  const sessions: JsonObject[] = []
  for (const key of keys) {
    const headers = { authorization: `Bearer ${key}`, session_id: "one-session-of-two-tenants" }
    const reply = await gateway.post("/v1/responses", { ...turn(), prompt_cache_key: "the-same" }, headers)
    expect(reply.status).toBe(200)
    const body = gateway.turns().at(-1)?.body
    if (isJsonObject(body)) sessions.push(body)
  }
  const [one, two] = sessions.map(body => stringAt(body, "prompt_cache_key"))
  expect(one).toBeDefined()
  expect(one).not.toBe(two ?? "")
  const sent = JSON.stringify(gateway.turns().map(({ headers, body }) => [headers, body]))
  expect(sent).not.toContain("one-session-of-two-tenants")
  for (const key of keys) expect(sent).not.toContain(key)
})
