/** The section `scheduler` of a configuration, as the accounts feel it. */

import { expect, test } from "bun:test"

import { buildScheduler } from "#cli/compose/build-scheduler.ts"
import type { Config } from "#config/config.ts"
import type { AccountId } from "#core/ids.ts"

import { loadedFrom } from "../config/inputs.ts"

const id = (name: string) => name as AccountId

/** A scheduler with three accounts, and the way to replace its configuration. */
async function makeRunning(yaml: string) {
  let config: Config = (await loadedFrom({ yaml })).config
  const scheduler = buildScheduler({ config: () => config, reportFailure: () => undefined })
  for (const [name, plan] of [
    ["acc_1", "plus"],
    ["acc_2", "pro"],
    ["acc_3", "free"],
  ] as const) {
    scheduler.upsert({ id: id(name), provider: "codex", plan, lifecycle: "enabled", credential: "fresh" })
  }
  const take = (tags?: readonly string[]) => {
    const deadlineMs = Number.MAX_SAFE_INTEGER
    const demand = { model: "gpt-5", exclude: new Set<AccountId>(), keyId: "key", deadlineMs }
    const acquired = scheduler.acquire({ ...demand, ...(tags !== undefined && { tags }) })
    return acquired.type === "lease" ? String(acquired.lease.account) : acquired.type
  }
  const reload = async (text: string) => {
    config = (await loadedFrom({ yaml: text })).config
  }
  return { scheduler, take, reload }
}

test("priorities go by account before plan, and a reload changes them with the next request", async () => {
  const rules = "account-concurrency: 1\nscheduler:\n  priorities: { plan/pro: 10, plan/free: -5, acc_3: 20 }\n"
  const { take, reload } = await makeRunning(rules)
  expect([take(), take()]).toEqual(["acc_3", "acc_2"])
  await reload("account-concurrency: 2\nscheduler:\n  priorities: { plan/free: 50 }\n")
  expect(take()).toBe("acc_3")
})

test("the policy is changed by a reload while requests are under way", async () => {
  const { take, reload } = await makeRunning("account-concurrency: 3\n")
  take()
  await reload("account-concurrency: 3\nscheduler:\n  strategy: fill-first\n")
  expect([take(), take(), take(), take()].filter(account => account === "acc_1").length).toBeGreaterThanOrEqual(2)
})

test("tags of accounts and plans add up, and a key's line has its own length", async () => {
  const yaml =
    "account-concurrency: 1\nqueue:\n  max-per-key: 1\nscheduler:\n  tags: { plan/pro: night+batch, acc_2: eu }\n"
  const { scheduler, take } = await makeRunning(yaml)
  expect(take(["eu", "batch", "night"])).toBe("acc_2")
  expect(scheduler.view().find(account => account.id === "acc_2")?.tags).toEqual(["batch", "eu", "night"])
  expect([take(["eu"]), take(["eu"])]).toEqual(["wait", "refusal"])
})

test("health and learned limits can be switched off", async () => {
  const { scheduler } = await makeRunning("scheduler:\n  health-tiers: false\n  learn-concurrency: false\n")
  const effect = { type: "block", scope: { type: "model", model: "other" }, cause: "burst", forMs: 1_000 } as const
  scheduler.report(id("acc_1"), { effect, startedAtMs: Date.now(), model: "other", detail: "test" })
  expect(scheduler.view()[0]).toMatchObject({ tier: "warm", cap: 4 })
})
