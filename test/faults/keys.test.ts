/** Client keys of the compiled binary: exact limits under a rush, hard budgets, and a store that cannot be read. */

import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { join } from "node:path"

import { chat, type FaultGateway, startOwnGateway, turn } from "./fixture.ts"

const PRICES = { prices: { "*": "0/0/100" } }

async function create(gateway: FaultGateway, order: object): Promise<{ readonly id: string; readonly key: string }> {
  const made = await gateway.post("/api/admin/keys", { name: "tenant", ...order }, { authorization: "" })
  expect(made.status).toBe(200)
  const { id, key } = made.json()
  return { id: String(id), key: String(key) }
}

const withKey = (key: string) => ({ authorization: `Bearer ${key}` })

async function usageOf(gateway: FaultGateway, id: string) {
  const answer = await gateway.get(`/api/admin/keys/${id}/usage`, { authorization: "" })
  return answer.json()["usage"] as unknown as {
    readonly total: { readonly requests: number; readonly cost_usd: number }
  }
}

function countStatuses(replies: readonly { readonly status: number }[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { status } of replies) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

test("fault 69: 200 requests at once on a key with 10 a minute: 10 reach the upstream, 190 are told when to come back", async () => {
  await using gateway = await startOwnGateway({ accounts: 4, settings: { "account-concurrency": 50 } })
  const { id, key } = await create(gateway, { limits: { rpm: 10 } })
  const startedMs = performance.now()
  const replies = await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      gateway.post("/v1/responses", turn({ text: `rush ${index}` }), withKey(key)),
    ),
  )
  // One place comes back every six seconds, which only matters on a machine that takes as long for all this.
  const most = 10 + Math.floor((performance.now() - startedMs) / 6_000)
  const { 200: admitted = 0, 429: refusals = 0 } = countStatuses(replies)
  expect(admitted).toBeWithin(10, most + 1)
  expect(admitted + refusals).toBe(200)
  expect(gateway.turns()).toHaveLength(admitted)
  const refused = replies.find(reply => reply.status === 429)
  expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1)
  expect(refused?.text).toContain("`rpm` of 10 requests a minute")
  expect((await usageOf(gateway, id)).total.requests).toBe(admitted)
})

test("fault 70: 50 requests at once on a budget of 1 $: no more are let in than it can pay if each costs what is held", async () => {
  await using gateway = await startOwnGateway({ accounts: 4, settings: { ...PRICES, "account-concurrency": 50 } })
  const { id, key } = await create(gateway, { limits: { total: { cost_usd: 1 } } })
  // 2,000 tokens of output are 0.20 $ here, so that five fit.
  const replies = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      gateway.post("/v1/chat/completions", { ...chat({ text: `rush ${index}` }), max_tokens: 2_000 }, withKey(key)),
    ),
  )
  const admitted = gateway.turns().length
  const { total } = await usageOf(gateway, id)
  expect(total.cost_usd).toBeGreaterThan(0)
  expect(total.cost_usd).toBeLessThanOrEqual(1)
  expect(admitted).toBe(replies.filter(reply => reply.status === 200).length)
  expect(total.requests).toBe(admitted)
  for (const reply of replies) if (reply.status !== 200) expect(reply.text).toContain("`total.cost_usd` of $1.00")
})

test("fault 70: what answers that are under way may cost is held: five that hang keep a sixth out until they end", async () => {
  await using gateway = await startOwnGateway({ accounts: 4, settings: { ...PRICES, "account-concurrency": 50 } })
  const { id, key } = await create(gateway, { limits: { total: { cost_usd: 1 } } })
  const body = (text: string) => ({ ...chat({ text, stream: true }), max_tokens: 2_000 })
  const hanging = Array.from({ length: 5 }, () =>
    gateway.open("/v1/chat/completions", body("[[simulate: text first-event-delay-ms=1500]]"), withKey(key)),
  )
  while (gateway.turns().length < 5) await Bun.sleep(5)
  const sixth = await gateway.post("/v1/chat/completions", { ...chat(), max_tokens: 2_000 }, withKey(key))
  expect([sixth.status, sixth.headers.get("retry-after")]).toEqual([429, "2"])
  await Promise.all(hanging.map(exchange => exchange.ended))
  await gateway.idle()
  expect((await usageOf(gateway, id)).total.requests).toBe(5)
  const seventh = await gateway.post("/v1/chat/completions", { ...chat(), max_tokens: 2_000 }, withKey(key))
  expect(seventh.status).toBe(200)
})

function alter(gateway: FaultGateway, sql: string): void {
  const database = new Database(join(gateway.folder, "data", "core.db"))
  database.run(sql)
  database.close()
}

test("fault 71: while the table of keys cannot be read, a stored key is 503 in every dialect, and a configured one works", async () => {
  await using gateway = await startOwnGateway()
  const { key } = await create(gateway, {})
  expect((await gateway.post("/v1/responses", turn(), withKey(key))).status).toBe(200)
  await gateway.process().stop()
  alter(gateway, "alter table client_keys rename to hidden")
  await gateway.startAgain()
  const messages = { model: "gpt-5.5", max_tokens: 9, messages: [{ role: "user", content: "hi" }] }
  const gemini = { contents: [{ role: "user", parts: [{ text: "hi" }] }] }
  const replies = [
    await gateway.post("/v1/responses", turn(), withKey(key)),
    await gateway.post("/v1/chat/completions", chat(), withKey(key)),
    await gateway.post("/v1/messages", messages, { authorization: "", "x-api-key": key }),
    await gateway.post("/v1beta/models/gpt-5.5:generateContent", gemini, { authorization: "", "x-goog-api-key": key }),
    await gateway.get("/v1/models", withKey("sk-nobody-knows")),
  ]
  for (const reply of replies) {
    expect(reply.status).toBe(503)
    expect(reply.text).toContain("API keys cannot be checked right now")
  }
  expect(replies[0]?.headers.get("retry-after")).toBe("5")
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  expect(gateway.process().output()).toContain("reading the client keys failed")
  // The next look finds it whole again, without a restart.
  alter(gateway, "alter table hidden rename to client_keys")
  let status = 503
  while (status === 503) {
    await Bun.sleep(100)
    status = (await gateway.get("/v1/models", withKey(key))).status
  }
  expect(status).toBe(200)
}, 20_000)

test("fault 71: a key whose own row is damaged is 503, an unknown one 401, and the others work", async () => {
  await using gateway = await startOwnGateway()
  const [bad, good] = [await create(gateway, {}), await create(gateway, {})]
  await gateway.process().stop()
  alter(gateway, `update client_keys set policy_json = 'not json' where key_id = '${bad.id}'`)
  await gateway.startAgain()
  const statusOf = async (key: string) => (await gateway.get("/v1/models", withKey(key))).status
  expect([await statusOf(bad.key), await statusOf(good.key), await statusOf("sk-nobody-knows")]).toEqual([
    503, 200, 401,
  ])
})

test("what keys have used outlasts kill -9, but for the last second", async () => {
  await using gateway = await startOwnGateway()
  const { id, key } = await create(gateway, { limits: { total: { requests: 3 } } })
  for (let sent = 0; sent < 3; sent++) await gateway.post("/v1/responses", turn(), withKey(key))
  const database = new Database(join(gateway.folder, "data", "core.db"), { readonly: true })
  const stored = () =>
    database.query<{ requests: number }, []>("select requests from key_counters where grain = 'total'").get()?.requests
  while (stored() !== 3) await Bun.sleep(20)
  database.close()
  process.kill(gateway.process().pid, "SIGKILL")
  await gateway.process().stop()
  await gateway.startAgain()
  expect((await usageOf(gateway, id)).total.requests).toBe(3)
  expect((await gateway.post("/v1/responses", turn(), withKey(key))).status).toBe(429)
})
