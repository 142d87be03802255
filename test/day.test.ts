/** A short day through the real gateway on virtual time; `./dev bench day` is the whole one, for every policy. */

import { describe, expect, test } from "bun:test"

import { TARGETS } from "./support/day/day-table.ts"
import { SHORT_DAY } from "./support/day/plans.ts"
import { runDay } from "./support/day/run-day.ts"
import { makeVirtualTime } from "./support/virtual-time.ts"

describe("a morning with an outage, two bursts and a dead proxy", () => {
  test("is served within the targets, warms no conversation twice, and comes out the same with the same seed", async () => {
    const plan = { ...SHORT_DAY, strategy: "least-loaded", seed: 7 } as const
    const row = await runDay(plan)
    // Few requests: those that arrive in the last half minute of the outage weigh more than on a whole day.
    expect(row.servedShare).toBeGreaterThan(0.98)
    const [, bursts, cached] = TARGETS
    expect([bursts?.holds(row), cached?.holds(row)]).toEqual([true, true])
    // A morning on which nothing went wrong would prove nothing.
    expect(row.requests).toBeGreaterThan(1_500)
    expect(row.serviceable).toBeLessThan(row.requests)
    expect(row.moves).toBeGreaterThan(0)
    expect(row.tokenExchanges).toBeGreaterThan(5)
    expect(row.breakerAlarms).toBeGreaterThan(0)
    expect(row.retriesPerRequest).toBeGreaterThan(0)
    // What is known to be spent is not asked before its reset.
    expect(row.askedSpent).toBe(0)
    expect(await runDay(plan)).toEqual(row)
  }, 400_000)
})

describe("virtual time", () => {
  test("fires timers in order of their time, those of one moment as they were set, and lets promises settle in between", async () => {
    const time = makeVirtualTime(1_000)
    const seen: string[] = []
    const note = (what: string) => () => {
      seen.push(`${what} ${time.clock()}`)
    }
    time.timers.after(30, note("late"))
    time.timers.after(10, () => {
      note("first")()
      void Promise.resolve().then(note("settled"))
    })
    time.timers.after(10, note("second"))
    const cancel = time.timers.after(20, note("cancelled"))
    cancel()
    const stop = time.timers.every(15, note("tick"))
    await time.runUntil(1_035)
    stop()
    expect(time.waiting()).toBe(0)
    await time.runUntil(2_000)
    expect(seen).toEqual(["first 1010", "settled 1010", "second 1010", "tick 1015", "late 1030", "tick 1030"])
    expect(time.clock()).toBe(2_000)
  })
})
