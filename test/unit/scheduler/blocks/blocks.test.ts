import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import { jitterMs } from "#scheduler/blocks/causes.ts"

import { block, id, makeHarness, START_MS } from "../harness.ts"

const HOUR_MS = 3_600_000

describe("blocks of an account", () => {
  test("a quota block keeps the account away until its reset and no longer, without any request in between", () => {
    const { add, report, time, lease, refusal, scheduler } = makeHarness()
    add("a")
    report("a", block("quota", 5 * 24 * HOUR_MS))
    time.advance(5 * 24 * HOUR_MS - 1)
    expect(refusal().kind).toBe("quota-exhausted")
    time.advance(1)
    expect(scheduler.counts().available).toBe(1)
    expect(lease().account).toBe(id("a"))
  })

  test("a shorter report of the same cause never brings the end nearer", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 40 * 24 * 3600 }), { minLength: 1, maxLength: 12 }),
        lengthsSec => {
          const { add, report, scheduler, time } = makeHarness()
          add("a")
          let lastUntilMs = 0
          for (const lengthSec of lengthsSec) {
            report("a", block("quota", lengthSec * 1000))
            time.advance(500)
            const until = scheduler.view()[0]?.blocks.find(({ cause }) => cause === "quota")?.untilMs ?? 0
            expect(until).toBeGreaterThanOrEqual(lastUntilMs)
            lastUntilMs = until
          }
        },
      ),
      { numRuns: 50 },
    )
  })

  test("another cause is a block of its own and outlives the first", () => {
    const { add, report, time, scheduler, succeed } = makeHarness()
    add("a")
    report("a", block("quota", HOUR_MS))
    report("a", block("credential", 600_000))
    expect(scheduler.view()[0]?.blocks.map(({ cause }) => cause)).toEqual(["quota", "credential"])
    time.advance(600_000)
    expect(scheduler.view()[0]?.blocks.map(({ cause }) => cause)).toEqual(["quota"])
    expect(scheduler.view()[0]?.reason).toBe("quota")
    succeed("a")
    expect(scheduler.view()[0]?.available).toBe(true)
  })

  test("the success of an attempt that began before the refusal clears nothing", () => {
    const { add, report, time, scheduler, succeed } = makeHarness()
    add("a")
    time.advance(1000)
    report("a", block("quota", HOUR_MS))
    succeed("a", { startedAtMs: START_MS + 500 })
    succeed("a", { startedAtMs: START_MS + 1000 })
    expect(scheduler.view()[0]?.available).toBe(false)
    time.advance(1)
    succeed("a", { startedAtMs: START_MS + 1001 })
    expect(scheduler.view()[0]?.available).toBe(true)
  })

  test.each([
    ["in the past", -5_000, 2_000],
    ["not a number", Number.NaN, 2_000],
    ["in milliseconds instead of seconds", 5 * HOUR_MS * 1000, 33 * 24 * HOUR_MS],
    ["never", Number.POSITIVE_INFINITY, 33 * 24 * HOUR_MS],
  ])("a reset %s becomes a time that makes sense", (_, forMs, expectedMs) => {
    const { add, report, scheduler } = makeHarness()
    add("a")
    report("a", block("quota", forMs))
    expect(scheduler.view()[0]?.blocks[0]?.untilMs).toBe(START_MS + expectedMs)
  })

  test("resets in the same second are spread over more than ten seconds", () => {
    expect(jitterMs("quota", 5 * HOUR_MS, () => 0)).toBe(0)
    expect(jitterMs("quota", 5 * HOUR_MS, () => 0.999)).toBeGreaterThan(10_000)
    expect(jitterMs("quota", 2_000, () => 0.999)).toBeLessThanOrEqual(200)
    expect(jitterMs("burst", 5_000, () => 0.999)).toBe(0)
  })

  test("clearing by hand lifts every kind of block", () => {
    const { add, report, scheduler, lease } = makeHarness()
    add("a")
    report("a", block("quota", HOUR_MS))
    report("a", block("burst", 5_000, { type: "model", model: "gpt-5" }))
    report("a", block("challenge", 60_000, { type: "egress" }))
    scheduler.clearBlocks(id("a"))
    expect(lease().account).toBe(id("a"))
  })

  test("a fresh look at the quota clears quota blocks confirmed before it and nothing else", () => {
    const { add, report, scheduler, time } = makeHarness()
    add("a")
    report("a", block("quota", HOUR_MS))
    report("a", block("credential", HOUR_MS))
    time.advance(1000)
    scheduler.clearBlocks(id("a"), { cause: "quota", confirmedBeforeMs: START_MS })
    expect(scheduler.view()[0]?.blocks).toHaveLength(2)
    scheduler.clearBlocks(id("a"), { cause: "quota", confirmedBeforeMs: START_MS + 1000 })
    expect(scheduler.view()[0]?.blocks.map(({ cause }) => cause)).toEqual(["credential"])
  })
})

describe("scopes", () => {
  test("a block of one model leaves the account's other models alone", () => {
    const { add, report, lease, ask } = makeHarness()
    add("a")
    report("a", block("model-unsupported", HOUR_MS, { type: "model", model: "gpt-5" }))
    expect(ask({ model: "gpt-5" }).type).toBe("refusal")
    expect(lease({ model: "gpt-5-mini" }).account).toBe(id("a"))
  })

  test("a named quota stops the models that were refused under its name, on any account", () => {
    const { add, report, ask, lease } = makeHarness()
    add("a")
    add("b", { lifecycle: "paused" })
    report("a", block("quota", HOUR_MS, { type: "bucket", bucket: "spark" }), { model: "gpt-5-spark" })
    expect(ask({ model: "gpt-5-spark" }).type).toBe("refusal")
    lease({ model: "gpt-5" })
    report("b", block("quota", HOUR_MS, { type: "bucket", bucket: "spark" }), { model: "gpt-5-spark-mini" })
    expect(ask({ model: "gpt-5-spark-mini" }).type).toBe("refusal")
  })

  test("a challenge blocks the way out for every account on it and no other", () => {
    const { add, report, lease, ask } = makeHarness()
    add("a", { egress: "proxy-1" })
    add("b", { egress: "proxy-1" })
    add("c", { egress: "proxy-2" })
    report("a", block("challenge", 60_000, { type: "egress" }))
    expect(lease().account).toBe(id("c"))
    expect(lease().account).toBe(id("c"))
    expect(ask().type).toBe("wait")
  })

  test("the way out opens again by itself and serves who waits", async () => {
    const { add, report, ask, time } = makeHarness({ accountConcurrency: 1 })
    add("a", { egress: "proxy-1" })
    add("b", { egress: "proxy-2" })
    report("a", block("challenge", 20_000, { type: "egress" }))
    expect(ask().type).toBe("lease")
    const waiting = ask()
    if (waiting.type !== "wait") throw new Error("expected to wait")
    time.advance(20_000)
    expect((await waiting.lease).account).toBe(id("a"))
  })
})

describe("half-open probing", () => {
  test("after a quota block one request at a time is let through until one succeeds", () => {
    const { add, report, time, lease, ask, succeed, scheduler } = makeHarness()
    add("a")
    report("a", block("quota", HOUR_MS))
    time.advance(HOUR_MS)
    expect(scheduler.view()[0]?.probing).toBe(true)
    const first = lease()
    expect(ask().type).toBe("wait")
    first.release()
    const second = ask()
    expect(second.type).toBe("wait")
    succeed("a")
    expect(scheduler.view()[0]).toMatchObject({ probing: false, load: 2 })
  })

  test("a failed probe blocks again and frees nobody", () => {
    const { add, report, time, lease, refusal } = makeHarness()
    add("a")
    report("a", block("quota", HOUR_MS))
    time.advance(HOUR_MS)
    const probe = lease()
    report("a", block("quota", HOUR_MS))
    probe.release()
    expect(refusal().kind).toBe("quota-exhausted")
  })

  test("a probe of one model does not hold the account's other models back", () => {
    const { add, report, time, lease, ask } = makeHarness({ accountConcurrency: 8 })
    add("a")
    report("a", block("burst", 5_000, { type: "model", model: "gpt-5" }))
    time.advance(5_000)
    lease({ model: "gpt-5" })
    expect(ask({ model: "gpt-5" }).type).toBe("wait")
    lease({ model: "gpt-5-mini" })
    lease({ model: "gpt-5-mini" })
  })

  test("a server failure leaves nothing to prove once its block is over", () => {
    const { add, report, time, scheduler, lease } = makeHarness()
    add("a")
    add("b")
    for (let strike = 0; strike < 3; strike++) {
      report("a", block("server-error", 10_000))
      time.advance(1)
    }
    expect(scheduler.counts().available).toBe(1)
    time.advance(10_000)
    expect(scheduler.view()[0]).toMatchObject({ available: true, probing: false })
    lease()
  })
})

describe("repeated failures", () => {
  test("the first two server failures cost nothing, the third in a row rests the account", () => {
    const { add, report, time, scheduler } = makeHarness()
    add("a")
    add("b")
    for (const available of [2, 2, 1]) {
      report("a", block("server-error", 10_000))
      time.advance(1)
      expect(scheduler.counts().available).toBe(available)
    }
  })

  test("failures of requests that ran side by side count as one", () => {
    const { add, report, time, scheduler } = makeHarness()
    add("a")
    add("b")
    time.advance(100)
    for (let request = 0; request < 20; request++) {
      report("a", block("overload", 10_000), { startedAtMs: START_MS })
      time.advance(1)
    }
    expect(scheduler.counts().available).toBe(2)
  })

  test("a success in between starts the count over", () => {
    const { add, report, time, scheduler, succeed } = makeHarness()
    add("a")
    add("b")
    for (let round = 0; round < 5; round++) {
      report("a", block("server-error", 10_000))
      time.advance(1)
      report("a", block("server-error", 10_000))
      time.advance(1)
      succeed("a")
      time.advance(1)
    }
    expect(scheduler.counts().available).toBe(2)
  })

  test("bursts that repeat double their rest up to a minute and forget after a quiet minute", () => {
    const { add, report, time, scheduler } = makeHarness()
    add("a")
    const rests: number[] = []
    for (let round = 0; round < 6; round++) {
      report("a", block("burst", 4_000, { type: "model", model: "gpt-5" }))
      const restMs = (scheduler.view()[0]?.blocks[0]?.untilMs ?? 0) - time.clock()
      rests.push(restMs)
      time.advance(restMs + 1_000)
    }
    expect(rests).toEqual([4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
    time.advance(60_001)
    report("a", block("burst", 4_000, { type: "model", model: "gpt-5" }))
    expect((scheduler.view()[0]?.blocks[0]?.untilMs ?? 0) - time.clock()).toBe(4_000)
  })

  test("the last account standing is never blocked for server failures", () => {
    const { add, report, time, scheduler, lease } = makeHarness()
    add("a")
    add("b")
    report("b", block("quota", HOUR_MS))
    for (let strike = 0; strike < 10; strike++) {
      report("a", block("server-error", 10_000))
      time.advance(1)
    }
    expect(lease().account).toBe(id("a"))
    expect(scheduler.view()[0]?.transitions.at(-1)?.change).toBe("kept as the last account")
  })

  test("when only failures of the way are left, they are ignored for the attempt", () => {
    const { add, report, time, lease, scheduler } = makeHarness({ accountConcurrency: 1 })
    add("a")
    add("b")
    for (let strike = 0; strike < 3; strike++) {
      report("a", block("network", 30_000, { type: "egress" }))
      time.advance(1)
    }
    expect(scheduler.counts().available).toBe(0)
    const taken = [lease().account, lease().account].sort()
    expect(taken).toEqual([id("a"), id("b")])
  })
})

describe("lifecycle and credential", () => {
  test.each(["expired", "uncertain"] as const)("an account with an %s credential is not picked", credential => {
    const { add, refusal } = makeHarness()
    add("a", { credential })
    expect(refusal().kind).toBe("no-account")
  })

  test("an account whose credential is due keeps serving", () => {
    const { add, report, lease, scheduler } = makeHarness()
    add("a")
    report("a", { type: "refresh" })
    expect(scheduler.view()[0]?.credential).toBe("due")
    lease()
  })

  test("a refusal of the old token does not touch an account that was refreshed meanwhile", () => {
    const { report, add, scheduler, time } = makeHarness()
    add("a", { credential: "due" })
    time.advance(1_000)
    scheduler.setCredential(id("a"), "fresh")
    report("a", { type: "needs-login" }, { startedAtMs: START_MS + 500 })
    report("a", { type: "refresh" }, { startedAtMs: START_MS + 500 })
    expect(scheduler.view()[0]).toMatchObject({ lifecycle: "enabled", credential: "fresh" })
    report("a", { type: "needs-login" }, { startedAtMs: START_MS + 1_500 })
    expect(scheduler.view()[0]?.lifecycle).toBe("needs-login")
  })

  test("the operator's pause is not overwritten by what a late attempt found", () => {
    const { report, add, scheduler } = makeHarness()
    add("a", { lifecycle: "paused" })
    report("a", { type: "suspend" })
    expect(scheduler.view()[0]?.lifecycle).toBe("paused")
  })

  test("the last twenty transitions are kept, repeats only once", () => {
    const { add, scheduler, time, report } = makeHarness({ healthTiers: false })
    add("a")
    for (let turn = 0; turn < 30; turn++) {
      scheduler.setLifecycle(id("a"), turn % 2 === 0 ? "paused" : "enabled")
      time.advance(1)
    }
    const { transitions } = scheduler.view()[0] ?? { transitions: [] }
    expect(transitions).toHaveLength(20)
    expect(transitions.at(-1)).toEqual({ atMs: START_MS + 29, change: "enabled", detail: "" })
    for (let turn = 0; turn < 5; turn++) report("a", block("server-error", 10_000))
    expect(scheduler.view()[0]?.transitions.filter(({ change }) => change === "failure noted")).toHaveLength(1)
  })
})

describe("snapshot", () => {
  test("blocks survive a restart; ended ones, foreign ones and those of the way out do not", () => {
    const old = makeHarness()
    old.add("a")
    old.add("gone")
    old.report("a", block("quota", HOUR_MS))
    old.report("a", block("burst", 5_000, { type: "model", model: "gpt-5-mini" }))
    old.report("gone", block("quota", HOUR_MS))
    old.report("a", block("challenge", 60_000, { type: "egress" }))
    const rows = old.scheduler.snapshotBlocks()
    expect(rows).toHaveLength(3)
    expect(Object.keys(rows[0] ?? {}).sort()).toEqual(
      ["accountId", "cause", "detail", "evidenceAtMs", "scope", "sinceMs", "untilMs"].sort(),
    )

    const fresh = makeHarness()
    fresh.time.advance(10_000)
    fresh.add("a")
    fresh.scheduler.restoreBlocks(rows)
    expect(fresh.scheduler.view()[0]?.blocks.map(({ cause }) => cause)).toEqual(["quota"])
    expect(fresh.refusal().kind).toBe("quota-exhausted")
    fresh.time.advance(HOUR_MS)
    fresh.lease()
  })
})
