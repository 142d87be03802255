/** Score, tiers and learned limits, as an account lives through them. */

import { describe, expect, test } from "bun:test"

import { block, id, makeHarness } from "../harness.ts"

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const NONE = { type: "none" } as const

const termsOf = (terms: readonly { name: string; value: number }[]) =>
  Object.fromEntries(terms.map(({ name, value }) => [name, value]))

describe("the score", () => {
  test("a new account stands at 100 and is healthy", () => {
    const { add, view } = makeHarness()
    add("a")
    expect(view("a")).toMatchObject({ score: 100, tier: "healthy", terms: [{ name: "baseline", value: 100 }] })
  })

  test.each([
    ["rate-limited", block("burst", 1_000, { type: "model", model: "other" }), -22, HOUR_MS],
    ["timeout", block("network", 1_000), -18, 15 * MINUTE_MS],
    ["server-error", block("server-error", 1_000), -12, 15 * MINUTE_MS],
    ["refused-credential", block("credential", 1_000), -50, 24 * HOUR_MS],
  ] as const)("the term %s fades in a straight line", (name, effect, points, fadeMs) => {
    const { add, report, time, view } = makeHarness()
    add("a")
    report("a", effect)
    expect(termsOf(view("a").terms)[name]).toBe(points)
    time.advance(fadeMs / 2)
    expect(termsOf(view("a").terms)[name]).toBe(points / 2)
    time.advance(fadeMs / 2)
    expect(termsOf(view("a").terms)[name]).toBeUndefined()
  })

  test("streaks, proof and the rate of success count as stated", () => {
    const { add, report, succeed, view } = makeHarness()
    add("a")
    for (let turn = 0; turn < 6; turn++) report("a", block("forbidden", 1_000))
    expect(termsOf(view("a").terms)).toMatchObject({ "failure-streak": -24, "success-rate": -15 })
    for (let turn = 0; turn < 10; turn++) succeed("a")
    expect(termsOf(view("a").terms)).toMatchObject({ "success-streak": 12, "success-rate": -8 })
    expect(termsOf(view("a").terms)["proven"]).toBeUndefined()
    succeed("a")
    expect(termsOf(view("a").terms)).toMatchObject({ proven: 20 })
  })

  test("slow first outputs cost points, by their weighted average", () => {
    const { add, succeed, view } = makeHarness()
    add("a")
    succeed("a", { firstOutputMs: 9_000 })
    expect(termsOf(view("a").terms)["latency"]).toBe(-4)
    for (let turn = 0; turn < 20; turn++) succeed("a", { firstOutputMs: 30_000 })
    expect(termsOf(view("a").terms)["latency"]).toBe(-15)
  })

  test("a free plan pays for what it has used of its long window, and a paid one does not", () => {
    const { add, quota, view } = makeHarness()
    add("free", { plan: "free" })
    add("plus", { plan: "plus" })
    for (const name of ["free", "plus"]) quota(name, [{ hours: 168, used: 90, resetsInMs: HOUR_MS }])
    expect(termsOf(view("free").terms)["free-plan-usage"]).toBe(-18)
    expect(view("free").tier).toBe("warm")
    expect(view("plus")).toMatchObject({ score: 100, tier: "healthy" })
  })

  test("what is no client's request says nothing about health", () => {
    const { add, report, view } = makeHarness()
    add("a")
    report("a", block("quota", HOUR_MS), { model: "" })
    report("a", block("health", HOUR_MS))
    report("a", { type: "refresh" })
    report("a", NONE, { kind: "upstream-protocol" })
    report("a", NONE, { kind: "invalid-request" })
    expect(view("a").score).toBe(100)
  })
})

describe("tiers", () => {
  test("a warm account comes after the healthy ones and has half its slots", () => {
    const { add, report, lease, view, ask } = makeHarness({ accountConcurrency: 4, queueMax: 0 })
    add("a")
    add("b")
    report("a", block("burst", 1_000, { type: "model", model: "other" }))
    expect(view("a")).toMatchObject({ tier: "warm", cap: 2, ceiling: 4 })
    const served = Array.from({ length: 6 }, () => lease().account)
    expect(served).toEqual([...Array(4).fill(id("b")), ...Array(2).fill(id("a"))])
    expect(ask().type).toBe("refusal")
  })

  test("a risky account serves one request at a time", () => {
    const { add, report, view } = makeHarness({ accountConcurrency: 8, learnConcurrency: false })
    add("a")
    for (let turn = 0; turn < 3; turn++) report("a", block("burst", 1_000, { type: "model", model: "other" }))
    report("a", block("forbidden", 1_000))
    expect(view("a")).toMatchObject({ tier: "risky", cap: 1 })
  })

  test("an account that needs a sign-in is banned and has no slot", () => {
    const { add, report, view } = makeHarness()
    add("a")
    report("a", { type: "needs-login" })
    expect(view("a")).toMatchObject({ tier: "banned", cap: 0, lifecycle: "needs-login" })
  })

  test("a proven account keeps its tier over one server error, and loses it with the third", () => {
    const { add, report, succeed, view } = makeHarness()
    add("a")
    add("b")
    for (let turn = 0; turn < 20; turn++) succeed("a")
    const tiers = Array.from({ length: 3 }, () => {
      report("a", block("server-error", 1_000))
      return view("a").tier
    })
    expect(tiers).toEqual(["healthy", "healthy", "warm"])
  })

  test("the tier comes back by itself when the failure has faded, without any request", () => {
    const { add, report, time, view } = makeHarness({ accountConcurrency: 4 })
    add("a")
    report("a", block("forbidden", 1_000))
    expect(view("a")).toMatchObject({ tier: "warm", cap: 2 })
    time.advance(14 * MINUTE_MS)
    expect(view("a").tier).toBe("warm")
    time.advance(2 * MINUTE_MS)
    expect(view("a")).toMatchObject({ tier: "healthy", cap: 4 })
  })

  test("an account that gets no requests because it failed gets another chance when its last failure has faded", () => {
    const { add, report, time, lease, view } = makeHarness()
    add("a")
    add("b")
    for (let turn = 0; turn < 8; turn++) report("a", block("forbidden", 1_000))
    expect(view("a").tier).toBe("warm")
    time.advance(15 * MINUTE_MS + 1_000)
    expect(view("a").tier).toBe("healthy")
    expect([lease().account, lease().account]).toContain(id("a"))
  })

  test("a success brings a better tier after ten seconds, not at once", () => {
    const { add, report, succeed, time, view } = makeHarness()
    add("a")
    report("a", block("server-error", 1_000))
    expect(view("a").tier).toBe("warm")
    succeed("a")
    expect(view("a").tier).toBe("warm")
    time.advance(10_500)
    expect(view("a").tier).toBe("healthy")
  })

  test("a new sign-in takes the refused credential off the account", () => {
    const { add, report, scheduler, time, view } = makeHarness()
    add("a")
    report("a", { type: "needs-login" })
    time.advance(MINUTE_MS)
    scheduler.setLifecycle(id("a"), "enabled")
    expect(view("a").tier).not.toBe("healthy")
    scheduler.setCredential(id("a"), "fresh")
    time.advance(HOUR_MS)
    expect(view("a").tier).toBe("healthy")
  })

  test("switched off, scores are kept and nothing follows", () => {
    const { add, report, view } = makeHarness({ healthTiers: false, accountConcurrency: 4 })
    add("a")
    report("a", block("forbidden", 1_000))
    expect(view("a")).toMatchObject({ tier: "warm", cap: 4 })
  })

  test("the switch takes effect with the next request", () => {
    const { add, report, limits, lease, view } = makeHarness({ accountConcurrency: 4 })
    add("a")
    report("a", block("burst", 1_000, { type: "model", model: "other" }))
    limits.healthTiers = false
    lease()
    expect(view("a").cap).toBe(4)
  })

  test("the last points of a window are spent one request at a time, credits or not knowing aside", () => {
    const { add, quota, scheduler, time, view } = makeHarness({ accountConcurrency: 4 })
    add("a")
    quota("a", [{ hours: 5, used: 96, resetsInMs: HOUR_MS }])
    expect(view("a").cap).toBe(1)
    scheduler.setQuota(id("a"), {
      observedAtMs: time.clock(),
      limitReached: false,
      windows: [{ usedPercent: 96, windowSec: 18_000 }],
      credits: { hasCredits: true, unlimited: false, balance: "3" },
    })
    expect(view("a").cap).toBe(4)
    quota("a", [{ hours: 5, used: 96, resetsInMs: HOUR_MS }])
    time.advance(HOUR_MS + 1)
    expect(view("a")).toMatchObject({ cap: 4, quota: { remainingPercent: 100 } })
  })
})

describe("learned concurrency", () => {
  const burst = block("burst", 1_000, { type: "model", model: "other" })
  const learning = () => makeHarness({ accountConcurrency: 10, healthTiers: false })

  test("a refusal cuts the cap to 85 % of what was under way, and a minute later successes raise it again", () => {
    const { add, lease, report, succeed, time, view } = learning()
    add("a")
    const leases = Array.from({ length: 8 }, () => lease())
    report("a", burst)
    expect(view("a")).toMatchObject({ cap: 6, learnedCap: 6, ceiling: 10 })
    for (const each of leases) each.release()
    for (let turn = 0; turn < 100; turn++) succeed("a")
    expect(view("a").cap).toBe(6)
    time.advance(MINUTE_MS)
    for (let turn = 0; turn < 24; turn++) succeed("a")
    expect(view("a").cap).toBe(7)
    for (let turn = 0; turn < 1_000; turn++) succeed("a")
    expect(view("a").cap).toBe(10)
    expect(view("a").learnedCap).toBeUndefined()
  })

  test("a refusal for concurrency blocks nothing and cuts the cap", () => {
    const { add, lease, report, view } = learning()
    add("a")
    for (let turn = 0; turn < 5; turn++) lease()
    report("a", NONE, { kind: "rate-limited" })
    expect(view("a")).toMatchObject({ cap: 4, blocks: [] })
  })

  test("the refusal of an only request says nothing about how many there may be", () => {
    const { add, lease, report, view } = learning()
    add("a")
    lease()
    report("a", burst)
    expect(view("a").cap).toBe(10)
  })

  test("it goes down to one and no further", () => {
    const { add, lease, report, view } = learning()
    add("a")
    for (let turn = 0; turn < 2; turn++) lease()
    for (let turn = 0; turn < 10; turn++) report("a", burst)
    expect(view("a").cap).toBe(1)
  })

  test("a cut cap lets running requests end and starts no new ones", () => {
    const { add, lease, report, ask, scheduler } = learning()
    add("a")
    const leases = Array.from({ length: 4 }, () => lease())
    report("a", burst)
    expect(ask().type).toBe("wait")
    leases[0]?.release()
    expect(scheduler.counts()).toMatchObject({ leases: 3, waiting: 1 })
    leases[1]?.release()
    expect(scheduler.counts()).toMatchObject({ leases: 3, waiting: 0 })
  })
})
