/** Who gets a request: quota, priorities, tags, plans, and how it is explained. */

import { describe, expect, test } from "bun:test"

import type { Explanation } from "#scheduler/line/explanation.ts"
import type { Demand } from "#scheduler/types.ts"

import { block, type Harness, id, makeHarness } from "./harness.ts"

const HOUR_MS = 3_600_000

const takeFrom = ({ lease }: Harness, times: number, demand: Partial<Demand> = {}) =>
  Array.from({ length: times }, () => lease(demand).account)

describe("policies that look at quota", () => {
  test("quota-balanced takes the account with most left in its tightest window", () => {
    const harness = makeHarness({ strategy: "quota-balanced" })
    for (const name of ["a", "b", "c"]) harness.add(name)
    harness.quota("a", [
      { hours: 5, used: 10 },
      { hours: 168, used: 80 },
    ])
    harness.quota("b", [
      { hours: 5, used: 45 },
      { hours: 168, used: 30 },
    ])
    harness.quota("c", [
      { hours: 5, used: 60 },
      { hours: 168, used: 5 },
    ])
    expect(takeFrom(harness, 6)).toEqual(["b", "b", "c", "c", "a", "a"].map(id))
  })

  test("an account that nobody has looked at counts as full, and every answer may move one", () => {
    const harness = makeHarness({ strategy: "quota-balanced", accountConcurrency: 1 })
    for (const name of ["a", "b"]) harness.add(name)
    harness.quota("a", [{ hours: 5, used: 20 }])
    expect(takeFrom(harness, 1)).toEqual([id("b")])
    harness.quota("b", [{ hours: 5, used: 90 }])
    harness.scheduler.remove(id("b"))
    harness.add("b")
    harness.quota("b", [{ hours: 5, used: 90 }])
    expect(takeFrom(harness, 1)).toEqual([id("a")])
  })

  test("a window whose reset has passed counts as empty without any request", () => {
    const harness = makeHarness({ strategy: "quota-balanced", accountConcurrency: 1 })
    for (const name of ["a", "b"]) harness.add(name)
    harness.quota("a", [{ hours: 5, used: 90, resetsInMs: HOUR_MS }])
    harness.quota("b", [{ hours: 5, used: 30, resetsInMs: 4 * HOUR_MS }])
    harness.time.advance(HOUR_MS + 1)
    expect(takeFrom(harness, 2)).toEqual([id("a"), id("b")])
  })

  test("soonest-reset uses first what would be lost first, and moves accounts on as time passes", () => {
    const harness = makeHarness({ strategy: "soonest-reset", accountConcurrency: 1 })
    for (const name of ["days", "hours", "spent", "unknown"]) harness.add(name)
    harness.quota("days", [{ hours: 168, used: 50, resetsInMs: 30 * HOUR_MS }])
    harness.quota("hours", [{ hours: 5, used: 50, resetsInMs: 3 * HOUR_MS }])
    harness.quota("spent", [{ hours: 5, used: 97, resetsInMs: HOUR_MS / 2 }])
    const order = ["hours", "days", "unknown", "spent"].map(id)
    const leases = Array.from({ length: 4 }, () => harness.lease())
    expect(leases.map(({ account }) => account)).toEqual(order)
    for (const lease of leases) lease.release()
    harness.quota("hours", [{ hours: 5, used: 50, resetsInMs: 40 * HOUR_MS }])
    harness.time.advance(28 * HOUR_MS)
    expect(harness.lease().account).toBe(id("days"))
  })

  test("fill-first leaves the last third of a window to the conversations that are there, while anyone has more", () => {
    const harness = makeHarness({ strategy: "fill-first", accountConcurrency: 3 })
    for (const name of ["a", "b"]) harness.add(name)
    harness.quota("a", [{ hours: 5, used: 70, resetsInMs: HOUR_MS }])
    expect(takeFrom(harness, 1)).toEqual([id("b")])
    expect(harness.lease({ prefer: id("a") }).account).toBe(id("a"))
    harness.time.advance(HOUR_MS + 1)
    expect(takeFrom(harness, 1)).toEqual([id("a")])
  })

  test("weighted gives by weight and by what is left", () => {
    const harness = makeHarness({ strategy: "weighted", accountConcurrency: 1000 })
    harness.add("a", { weight: 3 })
    harness.add("b")
    harness.add("c")
    harness.quota("c", [{ hours: 5, used: 50 }])
    const counts: Record<string, number> = {}
    for (const account of takeFrom(harness, 900)) counts[account] = (counts[account] ?? 0) + 1
    expect(counts["a"]).toBeWithin(595, 606)
    expect(counts["b"]).toBeWithin(195, 206)
    expect(counts["c"]).toBeWithin(95, 106)
  })

  test("an older snapshot does not overwrite a newer one", () => {
    const { add, scheduler, view, time } = makeHarness()
    add("a")
    const nowMs = time.clock()
    const snapshot = (observedAtMs: number, usedPercent: number) => ({
      observedAtMs,
      limitReached: false,
      windows: [{ usedPercent, windowSec: 18_000 }],
    })
    scheduler.setQuota(id("a"), snapshot(nowMs, 40))
    scheduler.setQuota(id("a"), snapshot(nowMs - 1, 10))
    expect(view("a").quota?.remainingPercent).toBe(60)
  })

  test("the policy can be changed between two requests", () => {
    const harness = makeHarness({ accountConcurrency: 3 })
    for (const name of ["a", "b"]) harness.add(name)
    expect(takeFrom(harness, 2)).toEqual([id("a"), id("b")])
    harness.limits.strategy = "fill-first"
    expect(takeFrom(harness, 4)).toEqual(["a", "a", "b", "b"].map(id))
  })
})

describe("priorities and tags", () => {
  const rules = {
    priorities: { "plan/pro": 10, "tag/backup": -10, c: 20 },
    weights: {},
    tags: { b: ["backup"], "provider/codex": ["night"] },
  }

  test("a lower priority serves only while no higher one has a free slot", async () => {
    const harness = makeHarness({ accountConcurrency: 1, placement: rules })
    harness.add("a", { plan: "pro" })
    harness.add("b", { plan: "pro" })
    harness.add("c")
    harness.add("d", { priority: 50 })
    const order = takeFrom(harness, 4)
    expect(order).toEqual(["d", "c", "a", "b"].map(id))
    expect(harness.view("b")).toMatchObject({ priority: -10, tags: ["backup", "night"] })
  })

  test("a request with tags goes to accounts that carry all of them, and waits for those only", () => {
    const harness = makeHarness({ accountConcurrency: 1, placement: rules })
    harness.add("a")
    harness.add("b")
    expect(takeFrom(harness, 1, { tags: ["night", "backup"] })).toEqual([id("b")])
    expect(harness.ask({ tags: ["backup"] }).type).toBe("wait")
    expect(harness.refusal({ tags: ["day"] })).toMatchObject({ kind: "no-account", code: "no_account" })
    expect(harness.refusal({ tags: ["day"] }).hint).toContain("`day`")
    expect(takeFrom(harness, 1)).toEqual([id("a")])
  })

  test("the best account stays first while another one moves through more classes than are kept", () => {
    const harness = makeHarness()
    harness.add("best", { priority: 100 })
    for (let turn = 0; turn < 200; turn++) {
      harness.add("restless", { tags: [`tag${turn}`] })
      const lease = harness.lease()
      expect([turn, lease.account]).toEqual([turn, id("best")])
      lease.release()
    }
  })

  test("rules can be changed between two requests", () => {
    const harness = makeHarness({ accountConcurrency: 3 })
    for (const name of ["a", "b"]) harness.add(name)
    harness.limits.placement = { priorities: { b: 1 }, weights: {}, tags: {} }
    expect(takeFrom(harness, 3)).toEqual(["b", "b", "b"].map(id))
  })
})

describe("plans that lack a model", () => {
  const unsupported = block("model-unsupported", 12 * HOUR_MS, { type: "model", model: "gpt-5-pro" })
  const refuse = (harness: Harness, name: string) => harness.report(name, unsupported, { model: "gpt-5-pro" })

  function makePlans(): Harness {
    const harness = makeHarness()
    for (const name of ["free1", "free2", "free3"]) harness.add(name, { plan: "free" })
    harness.add("pro", { plan: "pro", priority: -1 })
    return harness
  }

  test("two refusals keep the model from the whole plan, and from no other", () => {
    const harness = makePlans()
    refuse(harness, "free1")
    expect(harness.lease({ model: "gpt-5-pro" }).account).not.toBe(id("pro"))
    refuse(harness, "free2")
    expect(takeFrom(harness, 2, { model: "gpt-5-pro" })).toEqual([id("pro"), id("pro")])
    expect(harness.lease({ model: "gpt-5" }).account).not.toBe(id("pro"))
  })

  test("one account that is refused twice is one account", () => {
    const harness = makePlans()
    refuse(harness, "free1")
    refuse(harness, "free1")
    expect(harness.lease({ model: "gpt-5-pro" }).account).not.toBe(id("pro"))
  })

  test("when no plan has it the client hears so at once", () => {
    const harness = makePlans()
    for (const name of ["free1", "free2"]) refuse(harness, name)
    harness.scheduler.remove(id("pro"))
    expect(harness.refusal({ model: "gpt-5-pro" }).kind).toBe("model-not-found")
  })

  test("a newer success proves it wrong, an older one does not, and it runs out by itself", () => {
    const harness = makePlans()
    harness.time.advance(1_000)
    for (const name of ["free1", "free2"]) refuse(harness, name)
    harness.succeed("free3", { model: "gpt-5-pro", startedAtMs: harness.time.clock() - 1_000 })
    expect(harness.lease({ model: "gpt-5-pro" }).account).toBe(id("pro"))
    harness.time.advance(1_000)
    harness.succeed("free3", { model: "gpt-5-pro" })
    expect(harness.lease({ model: "gpt-5-pro" }).account).toBe(id("free3"))
    for (const name of ["free1", "free2"]) refuse(harness, name)
    harness.time.advance(13 * HOUR_MS)
    expect(harness.lease({ model: "gpt-5-pro" }).account).not.toBe(id("pro"))
  })

  test("those who wait are served when the plan turns out to have the model", async () => {
    const harness = makeHarness({ accountConcurrency: 1 })
    for (const name of ["free1", "free2", "free3"]) harness.add(name, { plan: "free" })
    harness.add("pro", { plan: "pro" })
    for (const name of ["free1", "free2"]) refuse(harness, name)
    harness.lease({ model: "gpt-5-pro" })
    const waiting = harness.ask({ model: "gpt-5-pro" })
    if (waiting.type !== "wait") throw new Error("expected to wait")
    harness.time.advance(1_000)
    harness.succeed("free3", { model: "gpt-5-pro" })
    expect((await waiting.lease).account).toBe(id("free3"))
  })
})

describe("why this account", () => {
  function explained(harness: Harness, demand: Partial<Demand> = {}): readonly Explanation[] {
    const told: Explanation[] = []
    harness.ask({ ...demand, explain: (_, write) => told.push(write()) })
    return told
  }

  test("a lease names its account, the candidates in order, and why the others were not among them", () => {
    const harness = makeHarness({ accountConcurrency: 1 })
    for (const name of ["free", "warm", "quota", "tried", "full"]) harness.add(name)
    harness.lease({ prefer: id("full") })
    harness.report("warm", block("burst", 1_000, { type: "model", model: "other" }))
    harness.report("quota", block("quota", HOUR_MS))
    const [why] = explained(harness, { exclude: new Set([id("tried")]) })
    expect(why).toMatchObject({
      decision: "lease",
      account: "free",
      by: "strategy",
      strategy: "least-loaded",
      counts: { candidates: 2, exclusions: { quota: 1, tried: 1, full: 1 } },
    })
    expect(why?.candidates.map(({ account, tier, score, load }) => [account, tier, score, load])).toEqual([
      [id("free"), "healthy", 100, 0],
      [id("warm"), "warm", 72, 0],
    ])
    expect(why?.exclusions).toContainEqual({
      account: id("quota"),
      reason: "quota",
      untilMs: harness.time.clock() + HOUR_MS,
    })
    expect(JSON.parse(JSON.stringify(why))).toEqual(why)
  })

  test("a preferred account, a last resort, a wait and a refusal say so", () => {
    const harness = makeHarness({ accountConcurrency: 1 })
    harness.add("a")
    harness.add("b")
    expect(explained(harness, { prefer: id("b") })[0]).toMatchObject({ account: "b", by: "preference" })
    expect(explained(harness)[0]).toMatchObject({ account: "a", by: "strategy" })
    expect(explained(harness)[0]).toMatchObject({ decision: "wait", counts: { exclusions: { full: 2 } } })
    expect(explained(harness, { providers: ["openai-api"] })[0]).toMatchObject({
      decision: "refusal",
      code: "no_account",
      counts: { exclusions: { provider: 2 } },
    })
    const other = makeHarness()
    other.add("a")
    other.add("b")
    other.report("a", block("health", HOUR_MS))
    other.add("b", { lifecycle: "paused" })
    expect(explained(other)[0]).toMatchObject({ account: "a", by: "last-resort" })
  })

  test("whoever waits is told again when it is served", async () => {
    const harness = makeHarness({ accountConcurrency: 1 })
    harness.add("a")
    const held = harness.lease()
    const told: Explanation[] = []
    const waiting = harness.ask({ explain: (_, write) => told.push(write()) })
    held.release()
    if (waiting.type === "wait") await waiting.lease
    expect(told.map(({ decision }) => decision)).toEqual(["wait", "lease"])
  })
})
