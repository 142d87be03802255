import { expect, test } from "bun:test"

import type { Account } from "#core/account.ts"
import type { AccountId } from "#core/ids.ts"
import { startHealthCheck } from "#gateway/pool/health-check.ts"
import type { QuotaReport } from "#gateway/pool/quota-check.ts"
import { makeScheduler } from "#scheduler/scheduler.ts"

import { makeManualTime } from "../../../support/manual-timers.ts"

const ids = ["acc_a", "acc_b"] as const

function account(id: string): Account {
  // Only the id and the switch matter here.
  return {
    id: id as AccountId,
    provider: "codex",
    label: id,
    disabled: false,
    credential: { type: "chatgpt", accessToken: "t", generation: 0 },
    source: { type: "file", path: id, index: 0 },
  }
}

function setUp() {
  const time = makeManualTime(1_000_000)
  const scheduler = makeScheduler({
    clock: time.clock,
    timers: time.timers,
    random: () => 0,
    limits: () => ({ accountConcurrency: 1, queueMax: 0, queueTimeoutMs: 0 }),
  })
  for (const id of ids) {
    scheduler.upsert({ id: id as AccountId, provider: "codex", lifecycle: "enabled", credential: "fresh" })
  }
  const failing = new Set<string>()
  const heardAtMs = new Map<string, number>()
  const behindDeadProxy = new Set<string>()
  let probes = 0
  const stop = startHealthCheck({
    timers: time.timers,
    clock: time.clock,
    scheduler,
    accounts: () => ids.map(account),
    heardAtMs: id => heardAtMs.get(id),
    probe: async ({ id, label }): Promise<QuotaReport> => {
      probes += 1
      if (behindDeadProxy.has(id)) return { account: id, label, status: "failed", proxy_failed: true }
      return { account: id, label, status: failing.has(id) ? "failed" : "ok" }
    },
    settings: () => ({ intervalMs: 60_000, maxFailures: 2, concurrency: 2 }),
    reportFailure: (_, cause) => {
      throw cause
    },
  })
  const round = () => time.advanceAsync(60_000)
  const hear = (id: string) => heardAtMs.set(id, time.clock())
  return { time, scheduler, failing, behindDeadProxy, hear, round, stop, probes: () => probes }
}

test("an account rests after its probes failed in a row, and a good probe brings it back", async () => {
  const { scheduler, failing, round, stop } = setUp()
  failing.add("acc_a")
  await round()
  expect(scheduler.isUsable("acc_a" as AccountId)).toBe(true)
  await round()
  expect(scheduler.isUsable("acc_a" as AccountId)).toBe(false)
  failing.clear()
  await round()
  expect(scheduler.isUsable("acc_a" as AccountId)).toBe(true)
  stop()
})

test("fault 76: an account whose proxy fails has not been asked, and rests for nothing", async () => {
  const { scheduler, behindDeadProxy, round, stop } = setUp()
  behindDeadProxy.add("acc_a")
  for (let count = 0; count < 5; count += 1) await round()
  expect(scheduler.counts().available).toBe(2)
  stop()
})

test("when every probe fails, no account is charged", async () => {
  const { scheduler, failing, round, stop } = setUp()
  for (const id of ids) failing.add(id)
  for (let count = 0; count < 5; count += 1) await round()
  expect(scheduler.counts().available).toBe(2)
  stop()
})

test("whoever serves and was heard from within a quarter of an hour is not asked; whoever rests is", async () => {
  const { hear, round, stop, probes, scheduler } = setUp()
  hear("acc_a")
  hear("acc_b")
  await round()
  expect(probes()).toBe(0)
  const effect = { type: "block", scope: { type: "account" }, cause: "quota", forMs: 3_600_000 } as const
  scheduler.report("acc_a" as AccountId, { effect, startedAtMs: 0, model: "m", detail: "spent" })
  await round()
  expect(probes()).toBe(1)
  for (let minute = 0; minute < 13; minute += 1) await round()
  const beforeQuarter = probes()
  await round()
  // Fifteen minutes after it was last heard from, the other one is asked as well.
  expect(probes() - beforeQuarter).toBe(2)
  stop()
})

test("one silent account among others that serve is charged although it alone was asked", async () => {
  const { failing, hear, round, stop, scheduler } = setUp()
  failing.add("acc_a")
  hear("acc_b")
  for (let count = 0; count < 2; count += 1) await round()
  expect(scheduler.isUsable("acc_a" as AccountId)).toBe(false)
  stop()
})

test("a loop that was stopped probes no more", async () => {
  const { round, stop, probes } = setUp()
  await round()
  const before = probes()
  stop()
  await round()
  expect(before).toBe(2)
  expect(probes()).toBe(before)
})
