/** Numbered faults that are a matter of time: blocks that end, that spread, and that are taken back. */

import { expect, test } from "bun:test"

import type { BlockScope } from "#core/outcome.ts"
import { makeScheduler } from "#scheduler/scheduler.ts"

import { makeManualTime } from "../../../support/manual-timers.ts"
import { block, id, makeHarness } from "../harness.ts"

const MINUTE_MS = 60_000

test.each(["quota", "burst", "forbidden", "credential", "billing", "workspace"] as const)(
  "fault 7: a block for %s that ends while nobody asks leaves the account ready",
  async cause => {
    const { add, report, view, time } = makeHarness()
    add("a")
    add("b")
    report("a", block(cause, 10 * MINUTE_MS))
    expect(view("a").available).toBe(false)
    await time.advance(10 * MINUTE_MS - 1)
    expect(view("a").available).toBe(false)
    await time.advance(1)
    expect(view("a")).toMatchObject({ available: true })
    expect(view("a").reason).toBeUndefined()
  },
)

test("fault 13: a thousand accounts that reset in one second are tried again over ten seconds and more", () => {
  const time = makeManualTime()
  let dice = 0
  const scheduler = makeScheduler({
    ...time,
    // Even, and without two alike: what matters is where each account lands, not by which luck.
    random: () => (dice++ * 0.618_034) % 1,
    limits: () => ({ accountConcurrency: 4, queueMax: 0, queueTimeoutMs: 0 }),
  })
  const startedAtMs = time.clock()
  const resetMs = 60 * MINUTE_MS
  const names = Array.from({ length: 1000 }, (_, index) => id(`a${index}`))
  for (const name of names) {
    scheduler.upsert({ id: name, provider: "codex", lifecycle: "enabled", credential: "fresh" })
    scheduler.report(name, { effect: block("quota", resetMs), startedAtMs, model: "gpt-5", detail: "test" })
  }
  const openPerSecond: number[] = []
  time.advance(resetMs - 1)
  expect(scheduler.counts().available).toBe(0)
  for (let second = 0; second < 13; second += 1) {
    time.advance(1000)
    openPerSecond.push(scheduler.counts().available - openPerSecond.reduce((sum, count) => sum + count, 0))
  }
  expect(scheduler.counts().available).toBe(1000)
  expect(openPerSecond.filter(count => count > 0).length).toBeGreaterThanOrEqual(10)
  expect(Math.max(...openPerSecond)).toBeLessThan(150)
})

test("fault 16: the only account left is not put to rest by server errors, another one being out of quota", async () => {
  const { add, report, view, time, lease } = makeHarness()
  add("a")
  add("b")
  report("a", block("quota", 60 * MINUTE_MS))
  for (let failure = 0; failure < 6; failure += 1) {
    await time.advance(1000)
    report("b", block("server-error", 10_000))
  }
  expect(view("b").available).toBe(true)
  const taken = lease()
  expect(taken.account).toBe(id("b"))
  taken.release()
})

test("fault 17: forty minutes of 404s change no account, and one success ends them", async () => {
  const { add, report, view, time, succeed, lease } = makeHarness()
  const names = Array.from({ length: 17 }, (_, index) => `a${index}`)
  for (const name of names) add(name)
  for (const name of names) succeed(name)
  for (let minute = 0; minute < 40; minute += 1) {
    await time.advance(MINUTE_MS)
    for (const name of names) report(name, { type: "none" }, { kind: "upstream-unavailable" })
  }
  for (const name of names) expect(view(name)).toMatchObject({ lifecycle: "enabled", available: true, blocks: [] })
  await time.advance(MINUTE_MS)
  succeed("a0")
  lease().release()
})

const ACCOUNT: BlockScope = { type: "account" }
const MODEL: BlockScope = { type: "model", model: "gpt-5" }
const BUCKET: BlockScope = { type: "bucket", bucket: "codex_bengalfox" }
const EGRESS: BlockScope = { type: "egress" }

test.each([
  ["quota", ACCOUNT],
  ["quota", MODEL],
  ["quota", BUCKET],
  ["burst", MODEL],
  ["credential", ACCOUNT],
  ["health", ACCOUNT],
  ["forbidden", ACCOUNT],
  ["billing", ACCOUNT],
  ["workspace", ACCOUNT],
  ["model-unsupported", MODEL],
  ["challenge", EGRESS],
] as const)("fault 24: a reset clears a block for %s, whatever its scope (%j)", (cause, scope) => {
  const { add, ask, report, view, scheduler, lease } = makeHarness({ queueMax: 0 })
  add("a")
  // Another account with a way out of its own: this one is neither the last one left nor a last resort.
  add("b", { egress: "proxy" })
  report("a", block(cause, 30 * MINUTE_MS, scope))
  const taken = [lease(), lease()]
  expect(taken.map(({ account }) => account)).toEqual([id("b"), id("b")])
  for (const one of taken) one.release()
  scheduler.clearBlocks(id("a"))
  expect(view("a").blocks).toEqual([])
  expect(ask({ exclude: new Set([id("b")]) }).type).toBe("lease")
})

test.each(["overload", "server-error", "network"] as const)(
  "fault 24: a reset clears a block for %s, and what led up to it",
  async cause => {
    const { add, report, view, scheduler, time } = makeHarness()
    add("a")
    add("b")
    const fail = async () => {
      await time.advance(100)
      report("a", block(cause, 10_000))
    }
    for (let failure = 0; failure < 3; failure += 1) await fail()
    expect(view("a").blocks).toHaveLength(1)
    scheduler.clearBlocks(id("a"))
    expect(view("a").blocks).toEqual([])
    await fail()
    await fail()
    expect(view("a").blocks).toEqual([])
  },
)

test("fault 24: a reset takes back what was concluded of the account's plan", () => {
  const { add, ask, report, scheduler, lease } = makeHarness({ queueMax: 0 })
  add("a", { plan: "plus" })
  add("b", { plan: "plus" })
  for (const name of ["a", "b"]) report(name, block("model-unsupported", 30 * MINUTE_MS, MODEL))
  expect(ask().type).toBe("refusal")
  scheduler.clearBlocks(id("a"))
  const taken = lease()
  expect(taken.account).toBe(id("a"))
  taken.release()
})
