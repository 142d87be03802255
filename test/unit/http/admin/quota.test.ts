/** What the pool has left, over HTTP. */

import { afterAll, beforeAll, expect, test } from "bun:test"

import { accountTable } from "#cli/accounts/account-text.ts"

import { type InProcessGateway, startInProcessGateway } from "../../../support/in-process-gateway.ts"

let gateway: InProcessGateway

beforeAll(async () => {
  gateway = await startInProcessGateway({ accounts: 2, files: 2 })
})
afterAll(() => gateway.stop())

const checkQuota = () =>
  gateway.ask("POST", "/check-quota", "", { authorization: `Bearer ${gateway.clientKey}` }).then(answer => answer.json)

test("windows that are nearly used up are listed, logged once, and shown with their account", async () => {
  const [first] = gateway.simulator.control.accounts()
  gateway.simulator.control.setQuota(first?.name ?? "", {
    primary: { usedPercent: 84 },
    secondary: { usedPercent: 93 },
  })
  await checkQuota()
  await checkQuota()
  const { warnings } = (await gateway.ask("GET", "/api/admin/quota/warnings")).json
  expect(warnings).toMatchObject([
    { bucket: null, window_seconds: 604_800, used_percent: 93, threshold: 90 },
    { window_seconds: 18_000, used_percent: 84, threshold: 80, resets_at: expect.stringContaining("T") },
  ])
  expect(gateway.log().split("quota is running low")).toHaveLength(3)
  const { accounts } = (await gateway.ask("GET", "/api/admin/accounts")).json
  expect(accounts.map((one: { quota_warning: number | null }) => one.quota_warning).sort()).toEqual([90, null])
  expect(accountTable(accounts, 0)).toContain("over 90 % used")
})

test("an account's history says how each of its windows has filled up", async () => {
  const [first] = gateway.simulator.control.accounts()
  const { accounts } = (await gateway.ask("GET", `/api/admin/accounts?search=${first?.email ?? ""}`)).json
  for (const usedPercent of [94, 95, 95]) {
    gateway.simulator.control.setQuota(first?.name ?? "", { secondary: { usedPercent } })
    await checkQuota()
  }
  const path = (id: string) => `/api/admin/accounts/${id}/quota/history`
  const { windows } = (await gateway.ask("GET", path(accounts[0].id))).json
  const week = windows.find((one: { window_seconds: number }) => one.window_seconds === 604_800)
  expect(week.readings.map((one: { used_percent: number }) => one.used_percent)).toEqual([93, 94, 95])
  expect((await gateway.ask("GET", path("acc_0"))).status).toBe(404)
})

test("the forecast names every window, and says nothing about a pace it has not seen", async () => {
  const forecast = (await gateway.ask("GET", "/api/admin/quota")).json
  expect(forecast.pool).toMatchObject([
    { window_seconds: 18_000, accounts: 2, measured: 0, percent_per_hour: null, full_at: null },
    { window_seconds: 604_800, remaining_percent: 52.5 },
  ])
  expect(forecast.accounts).toHaveLength(2)
  const stats = (await gateway.ask("GET", "/stats", undefined, { authorization: `Bearer ${gateway.clientKey}` })).json
  expect(stats.quota_forecast).toEqual(forecast.pool)
  expect(stats.accounts[0].quota_forecast).toHaveLength(2)
})
