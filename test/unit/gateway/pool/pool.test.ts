/** The pool keeps the scheduler in step with accounts without taking back what refusals have shown. */

import { expect, test } from "bun:test"

import type { Account } from "#core/account.ts"
import type { AccountId } from "#core/ids.ts"
import { makePool } from "#gateway/pool/pool.ts"
import { makeProviders } from "#providers/registry.ts"
import { makeScheduler } from "#scheduler/scheduler.ts"

import { makeManualTime } from "../../../support/manual-timers.ts"

const ID = "acc_a" as AccountId

function setUp() {
  const time = makeManualTime(1_000_000)
  const scheduler = makeScheduler({
    clock: time.clock,
    timers: time.timers,
    random: () => 0,
    limits: () => ({ accountConcurrency: 4, queueMax: 0, queueTimeoutMs: 0 }),
  })
  const identity = { originator: "test", userAgent: "test/1", clientVersion: "1.0.0" }
  const pool = makePool({
    clock: time.clock,
    random: () => 0,
    scheduler,
    providers: makeProviders({ identity }),
    baseUrl: "http://127.0.0.1:1",
    refresh: () => Promise.reject(new Error("nothing is refreshed")),
    skipsExhausted: () => true,
    watch: { heard: () => {}, forget: () => {} },
    modelsChanged: () => {},
  })
  const canServe = (tags: readonly string[]) => {
    const acquired = scheduler.acquire({
      model: "m",
      tags,
      exclude: new Set(),
      keyId: "k",
      deadlineMs: time.clock() + 1,
    })
    if (acquired.type === "lease") acquired.lease.release()
    return acquired.type === "lease"
  }
  return { time, scheduler, pool, canServe }
}

function account(changes: Partial<Account> = {}): Account {
  return {
    id: ID,
    provider: "codex",
    label: "a",
    disabled: false,
    credential: { type: "chatgpt", accessToken: "token", refreshToken: "rt", generation: 0 },
    source: { type: "store" },
    ...changes,
  }
}

test("tags that operators set decide who serves a request that asks for them", () => {
  const { pool, canServe } = setUp()
  pool.put(account())
  expect([canServe([]), canServe(["eu"])]).toEqual([true, false])
  pool.put(account({ tags: ["eu"] }))
  expect(canServe(["eu"])).toBe(true)
  pool.put(account())
  expect(canServe(["eu"])).toBe(false)
})

test.each(["needs-login", "suspended"] as const)("a new tag or label leaves an account %s", lifecycle => {
  const { pool, scheduler } = setUp()
  pool.put(account())
  scheduler.setLifecycle(ID, lifecycle)
  pool.put(account({ tags: ["eu"], label: "renamed" }))
  expect(scheduler.lifecycleOf(ID)).toBe(lifecycle)
})

test("a new label leaves an API key's account suspended, another key does not", () => {
  const { pool, scheduler } = setUp()
  const key = (apiKey: string, label: string) =>
    account({ provider: "openai-api", label, credential: { type: "api-key", apiKey, generation: 0 } })
  pool.put(key("sk-1", "a"))
  scheduler.setLifecycle(ID, "suspended")
  pool.put(key("sk-1", "b"))
  expect(scheduler.lifecycleOf(ID)).toBe("suspended")
  pool.put(key("sk-2", "b"))
  expect(scheduler.lifecycleOf(ID)).toBe("enabled")
})

test("a new tag leaves a credential in doubt when its token has run out", () => {
  const { time, pool, scheduler } = setUp()
  const expired = {
    type: "chatgpt",
    accessToken: "t",
    refreshToken: "rt",
    generation: 0,
    expiresAtMs: time.clock() - 1,
  } as const
  pool.put(account({ credential: expired }))
  pool.doubt(ID)
  pool.put(account({ credential: expired, tags: ["eu"] }))
  expect(scheduler.view()[0]?.credential).toBe("uncertain")
})

test.each(["put", "renew"] as const)("a rest that an old credential has earned ends with a new one (%s)", how => {
  const { time, scheduler, pool, canServe } = setUp()
  pool.put(account())
  const effect = { type: "block", scope: { type: "account" }, cause: "credential", forMs: 60_000 } as const
  scheduler.report(ID, { effect, startedAtMs: time.clock(), model: "m", detail: "refused" })
  expect(canServe([])).toBe(false)
  pool.put(account({ label: "another name" }))
  expect(canServe([])).toBe(false)
  pool[how](account({ credential: { type: "chatgpt", accessToken: "new token", refreshToken: "rt", generation: 1 } }))
  expect(canServe([])).toBe(true)
})
