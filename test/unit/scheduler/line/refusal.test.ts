import { describe, expect, test } from "bun:test"

import { block, id, makeHarness, START_MS } from "../harness.ts"

const HOUR_MS = 3_600_000

describe("refusals", () => {
  test("an empty pool is a matter for the operator, and waiting does not help", () => {
    const error = makeHarness().refusal()
    expect(error).toMatchObject({ kind: "no-account", code: "no_account", retryAfterMs: undefined })
    expect(error.hint).toContain("auth-dir")
    expect(error.hint).toContain("sluice login")
  })

  test("an account that needs a sign-in is why the operator is told how to sign in", () => {
    const { add, refusal } = makeHarness()
    add("a", { lifecycle: "needs-login" })
    expect(refusal().hint).toContain("sluice login")
    const paused = makeHarness()
    paused.add("a", { lifecycle: "paused" })
    expect(paused.refusal().hint).not.toContain("sluice login")
  })

  test("a model that no account lists is unknown, whatever state the accounts are in", () => {
    const { add, scheduler, refusal } = makeHarness()
    add("a")
    add("b", { lifecycle: "needs-login" })
    scheduler.setModels(id("a"), new Set(["gpt-5"]))
    scheduler.setModels(id("b"), new Set(["gpt-5"]))
    expect(refusal({ model: "gpt-9" })).toMatchObject({ kind: "model-not-found", param: "model" })
  })

  test("a model that only an account without a known list might serve is tried there", () => {
    const { add, scheduler, lease } = makeHarness()
    add("a")
    add("b")
    scheduler.setModels(id("a"), new Set(["gpt-5"]))
    expect(lease({ model: "gpt-9" }).account).toBe(id("b"))
    scheduler.setModels(id("b"), undefined)
    expect(lease({ model: "gpt-9" }).account).toBe(id("b"))
  })

  test("a model that every account has refused as unsupported is unknown", () => {
    const { add, report, refusal } = makeHarness()
    add("a")
    report("a", block("model-unsupported", HOUR_MS, { type: "model", model: "gpt-5" }))
    expect(refusal().kind).toBe("model-not-found")
  })

  test("all out of quota answers 429 with the earliest reset", () => {
    const { add, report, refusal } = makeHarness()
    for (const [name, hours] of [["a", 5] as const, ["b", 2] as const, ["c", 168] as const]) {
      add(name)
      report(name, block("quota", hours * HOUR_MS))
    }
    const error = refusal()
    expect(error).toMatchObject({
      kind: "quota-exhausted",
      status: 429,
      code: "usage_limit_reached",
      retryAfterMs: 2 * HOUR_MS,
    })
    expect(error.upstream?.resetsAtSec).toBe((START_MS + 2 * HOUR_MS) / 1000)
    expect(error.message).toContain("3 accounts out of quota")
  })

  test("out of quota beside needs-login is still a 429: someone will recover", () => {
    const { add, report, refusal } = makeHarness()
    add("a")
    add("b", { lifecycle: "needs-login" })
    report("a", block("quota", HOUR_MS))
    expect(refusal()).toMatchObject({ kind: "quota-exhausted", retryAfterMs: HOUR_MS })
  })

  test("an account that recovers sooner than the quota makes it a 503 with that time", () => {
    const { add, report, refusal } = makeHarness()
    add("a")
    add("b")
    report("a", block("quota", HOUR_MS))
    report("b", block("burst", 20_000))
    expect(refusal()).toMatchObject({ kind: "no-account", status: 503, retryAfterMs: 20_000 })
  })

  test("nobody who recovers by himself: a 503 that names and counts the reasons, without a promise", () => {
    const { add, refusal } = makeHarness()
    add("a", { lifecycle: "needs-login" })
    add("b", { lifecycle: "needs-login" })
    add("c", { lifecycle: "suspended" })
    add("d", { lifecycle: "paused" })
    const error = refusal()
    expect(error).toMatchObject({ kind: "no-account", retryAfterMs: undefined })
    expect(error.message).toContain("2 accounts needing a new sign-in, 1 account suspended by the upstream, 1 account")
  })

  test("accounts that this request has used up do not make it wait", () => {
    const { add, lease, refusal } = makeHarness()
    add("a")
    lease()
    expect(refusal({ exclude: new Set([id("a")]) })).toMatchObject({ kind: "no-account" })
  })

  test("an aborted request gets nothing", () => {
    const { add, refusal, scheduler } = makeHarness()
    add("a")
    expect(refusal({ signal: AbortSignal.abort() }).kind).toBe("cancelled")
    expect(scheduler.counts().leases).toBe(0)
  })
})

describe("counts", () => {
  test("the reasons add up to the accounts that are out", () => {
    const { add, report, scheduler } = makeHarness()
    add("a")
    add("b", { lifecycle: "paused" })
    add("c", { credential: "expired" })
    add("d")
    report("d", block("quota", HOUR_MS))
    expect(scheduler.counts()).toEqual({
      total: 4,
      available: 1,
      byReason: { paused: 1, "credential-expired": 1, quota: 1 },
      leases: 0,
      waiting: 0,
    })
  })
})
