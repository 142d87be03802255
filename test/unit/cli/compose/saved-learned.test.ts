/** What was learned of accounts survives a restart: health, learned concurrency, quota and how it went. */

import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { join } from "node:path"

import { startInProcessGateway } from "../../../support/in-process-gateway.ts"

type View = Readonly<Record<string, unknown>>

async function setUp() {
  const gateway = await startInProcessGateway({ accounts: 2, files: 2, config: { maxRetry: 0 } })
  const auth = { authorization: `Bearer ${gateway.clientKey}` }
  const chat = (text: string) =>
    gateway.ask("POST", "/v1/chat/completions", { model: "gpt-5.5", messages: [{ role: "user", content: text }] }, auth)
  const stats = async (): Promise<readonly View[]> =>
    (await gateway.ask("GET", "/stats", undefined, auth)).json.accounts
  return { gateway, chat, stats }
}

test("a restart keeps score, latency, quota and the readings a forecast is made from", async () => {
  const { gateway, chat, stats } = await setUp()
  try {
    const [first] = gateway.simulator.control.accounts()
    gateway.simulator.control.setQuota(first?.name ?? "", {
      primary: { usedPercent: 41 },
      secondary: { usedPercent: 72 },
    })
    // Both accounts say what they have, whomever chance picks.
    await gateway.ask("POST", "/check-quota", "", { authorization: `Bearer ${gateway.clientKey}` })
    for (let count = 0; count < 6; count += 1) await chat(`hello ${count}`)
    for (let count = 0; count < 4; count += 1) await chat(`[[simulate: server-error]] ${count}`)
    const before = await stats()
    const { accounts } = (await gateway.ask("GET", "/api/admin/accounts")).json
    const historyOf = async () =>
      Promise.all(
        accounts.map(
          async ({ id }: { id: string }) => (await gateway.ask("GET", `/api/admin/accounts/${id}/quota/history`)).json,
        ),
      )
    const history = await historyOf()
    expect(before.some(one => one["tier"] !== "healthy")).toBe(true)
    await gateway.restart()
    const kept = (all: readonly View[]) => all.map(({ id, score, tier, quota }) => ({ id, score, tier, quota }))
    expect(kept(await stats())).toEqual(kept(before))
    expect(await historyOf()).toEqual(history)
    const readings = await Promise.all(
      accounts.map(
        async ({ id }: { id: string }) =>
          (await gateway.ask("GET", `/api/admin/accounts/${id}/quota/readings`)).json.readings,
      ),
    )
    expect(readings.flat()).toContainEqual(
      expect.objectContaining({ bucket: null, window_seconds: 604_800, used_percent: 72 }),
    )
  } finally {
    await gateway.stop()
  }
})

test("rows that cannot be read cost their accounts what was learned, and nobody the start", async () => {
  const { gateway, chat, stats } = await setUp()
  try {
    await chat("hello")
    await gateway.restart(async () => {
      using database = new Database(join(gateway.folder, "data", "core.db"))
      database.run("update account_health set health_json = '{\"failedAtMs\": 7'")
      database.run("update account_quota set quota_json = '[]'")
    })
    expect((await chat("again")).status).toBe(200)
    expect((await stats()).every(({ score }) => score === 100)).toBe(true)
  } finally {
    await gateway.stop()
  }
})

test("changes of an account's state are in the log after a restart, the newest first", async () => {
  const { gateway, chat, stats } = await setUp()
  try {
    for (let count = 0; count < 8; count += 1) await chat(`[[simulate: server-error]] ${count}`)
    const [{ id, transitions }] = (await stats()) as readonly [{ id: string; transitions: readonly View[] }]
    expect(transitions.length).toBeGreaterThan(1)
    await gateway.restart()
    const { events } = (await gateway.ask("GET", `/api/admin/accounts/${id}/events`)).json
    const told = transitions.map(({ change, detail }) => ({ change, detail }))
    expect(events.map(({ change, detail }: View) => ({ change, detail })).reverse()).toEqual(told)
    expect((await gateway.ask("GET", "/api/admin/accounts/acc_0/events")).status).toBe(404)
  } finally {
    await gateway.stop()
  }
})
