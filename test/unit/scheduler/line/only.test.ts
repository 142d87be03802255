/** Requests that one account alone may serve. */

import { describe, expect, test } from "bun:test"

import type { Acquired } from "#scheduler/types.ts"

import { block, type Harness, id, makeHarness } from "../harness.ts"

function makeTwo(accountConcurrency = 1): Harness {
  const harness = makeHarness({ accountConcurrency })
  harness.add("home")
  harness.add("other")
  return harness
}

const askHome = ({ ask, time }: Harness, waitMs = 30_000) =>
  ask({ only: id("home"), deadlineMs: time.clock() + waitMs })

/** What a wait has come to by now. */
async function outcomeOf(acquired: Acquired): Promise<string> {
  if (acquired.type !== "wait") return acquired.type === "lease" ? acquired.lease.account : "refused"
  return Promise.race([
    acquired.lease.then(
      ({ account }) => account,
      () => "refused",
    ),
    new Promise<string>(resolve => setImmediate(() => resolve("waits"))),
  ])
}

describe("a request for one account", () => {
  test("gets it whatever the others' load, rank or turn", () => {
    const harness = makeHarness({ accountConcurrency: 8 })
    harness.add("home", { priority: -5 })
    harness.add("other")
    for (let index = 0; index < 5; index++) {
      expect(askHome(harness)).toMatchObject({ type: "lease", lease: { account: id("home") } })
    }
  })

  test("waits for its place although others are idle, and others do not take its turn", async () => {
    const harness = makeTwo()
    const held = harness.lease({ only: id("home") })
    const other = harness.lease({ only: id("other") })
    const first = askHome(harness)
    const second = harness.ask()
    other.release()
    expect(await outcomeOf(first)).toBe("waits")
    expect(await outcomeOf(second)).toBe("other")
    held.release()
    expect(await outcomeOf(first)).toBe("home")
  })

  test("is not kept waiting by whoever waits for another account", async () => {
    const harness = makeTwo()
    harness.lease({ only: id("other") })
    const held = harness.lease({ only: id("home") })
    const forOther = harness.ask({ only: id("other") })
    const forHome = askHome(harness)
    held.release()
    expect(await outcomeOf(forHome)).toBe("home")
    expect(await outcomeOf(forOther)).toBe("waits")
  })

  test("waits for a rest that ends before its deadline, although nobody else is there", async () => {
    const harness = makeHarness()
    harness.add("home")
    harness.report("home", block("quota", 5_000))
    const pending = askHome(harness, 10_000)
    expect(await outcomeOf(pending)).toBe("waits")
    await harness.time.advanceAsync(6_000)
    expect(await outcomeOf(pending)).toBe("home")
  })

  test("is refused at once when the rest lasts longer, and when the account is excluded, gone or without the model", () => {
    const harness = makeTwo()
    expect(harness.refusal({ only: id("nobody") }).kind).toBe("no-account")
    expect(harness.refusal({ only: id("home"), exclude: new Set([id("home")]) }).kind).toBe("no-account")
    harness.scheduler.setModels(id("home"), new Set(["gpt-6"]))
    expect(harness.refusal({ only: id("home") }).kind).toBe("no-account")
    harness.scheduler.setModels(id("home"), undefined)
    harness.report("home", block("quota", 31_000))
    expect(askHome(harness).type).toBe("refusal")
    expect(harness.lease().account).toBe(id("other"))
  })

  test("that waits is refused as soon as the rest becomes longer than it can wait", async () => {
    const harness = makeTwo()
    harness.report("home", block("burst", 3_000))
    const pending = askHome(harness, 10_000)
    expect(await outcomeOf(pending)).toBe("waits")
    harness.report("home", block("quota", 3_600_000))
    expect(await outcomeOf(pending)).toBe("refused")
    expect(harness.scheduler.counts().waiting).toBe(0)
  })

  test("is explained: the others were not asked for", () => {
    const harness = makeTwo()
    const told: unknown[] = []
    harness.ask({ only: id("home"), explain: (_, write) => told.push(write()) })
    expect(told).toMatchObject([
      {
        decision: "lease",
        account: id("home"),
        by: "preference",
        exclusions: [{ account: id("other"), reason: "unasked" }],
      },
    ])
  })
})

describe("where an account stands", () => {
  test("is told of it alone and for the model in question", () => {
    const { scheduler, report, time } = makeTwo()
    const standing = (model = "gpt-5") => scheduler.standingOf(id("home"), model)
    expect(standing()).toEqual({ type: "ready" })
    report("home", block("burst", 3_000, { type: "model", model: "gpt-6" }))
    expect(standing()).toEqual({ type: "ready" })
    expect(standing("gpt-6")).toEqual({ type: "resting", untilMs: time.clock() + 3_000 })
    report("home", block("network", 5_000, { type: "egress" }))
    scheduler.setCredential(id("home"), "expired")
    expect(standing()).toEqual({ type: "unready" })
    scheduler.setLifecycle(id("home"), "paused")
    expect(standing()).toEqual({ type: "away" })
  })

  test("counts a named quota for the models that were refused under its name", () => {
    const { scheduler, report, time } = makeTwo()
    report("home", block("quota", 3_600_000, { type: "bucket", bucket: "spark" }), { model: "gpt-5-spark" })
    expect(scheduler.standingOf(id("home"), "gpt-5")).toEqual({ type: "ready" })
    expect(scheduler.standingOf(id("home"), "gpt-5-spark")).toEqual({
      type: "resting",
      untilMs: time.clock() + 3_600_000,
    })
  })
})
