/** Many accounts that fail alike. */

import { describe, expect, test } from "bun:test"

import { block, type Harness, id, makeHarness } from "../harness.ts"

const NONE = { type: "none" } as const
const LOST = { type: "needs-login" } as const

/** Ten accounts, one of which has just served. */
function makeServing(accounts = 10): Harness {
  const harness = makeHarness({ accountConcurrency: 2 })
  for (let index = 0; index < accounts; index++) harness.add(`a${index}`)
  harness.succeed("a0")
  harness.time.advance(1_000)
  return harness
}

function failAll(harness: Harness, effect: Parameters<Harness["report"]>[1], accounts = 10): void {
  for (let index = 0; index < accounts; index++) harness.report(`a${index}`, effect)
}

describe("the breaker", () => {
  test("a refusal of every credential costs no account its service, those before the alarm included", () => {
    const harness = makeServing()
    failAll(harness, LOST)
    expect(harness.scheduler.view().map(({ lifecycle }) => lifecycle)).toEqual(Array(10).fill("enabled"))
    expect(harness.alarms).toHaveLength(1)
    expect(harness.alarms[0]).toStartWith("5 of 10 accounts failed alike (auth)")
    expect(harness.scheduler.counts().breaker).toMatchObject({ failure: "auth", accounts: 5 })
  })

  test("blocks that were written for the failure fall, others stay", () => {
    const harness = makeServing()
    harness.report("a1", block("quota", 3_600_000))
    failAll(harness, block("forbidden", 600_000))
    expect(harness.view("a1").blocks.map(({ cause }) => cause)).toEqual(["quota"])
    expect(harness.view("a2").blocks).toEqual([])
    const changes = harness.view("a2").transitions.map(({ change }) => change)
    expect(changes).toContain("restored: many accounts fail alike")
    expect(harness.view("a9").transitions.at(-1)?.change).toStartWith("left alone")
  })

  test("nobody's score pays for it, and older failures of one's own stay", () => {
    const harness = makeServing()
    harness.report("a1", block("burst", 1_000, { type: "model", model: "other" }))
    harness.time.advance(1_000)
    failAll(harness, LOST)
    expect(harness.scheduler.view().map(({ tier }) => tier)).toEqual(["healthy", "warm", ...Array(8).fill("healthy")])
    expect(harness.view("a2").terms).toEqual([{ name: "baseline", value: 100 }])
  })

  test("addresses that are gone for everybody open it as well, though one such answer means nothing", () => {
    const harness = makeServing()
    for (let index = 0; index < 10; index++) harness.report(`a${index}`, NONE, { kind: "upstream-unavailable" })
    expect(harness.scheduler.counts().breaker?.failure).toBe("server")
    expect(harness.view("a3")).toMatchObject({ available: true, score: 100 })
  })

  test("four accounts may fail alike by chance", () => {
    const harness = makeServing()
    failAll(harness, LOST, 4)
    expect(harness.scheduler.counts()).toMatchObject({ byReason: { "needs-login": 4 } })
    expect(harness.alarms).toEqual([])
  })

  test("fewer than three in ten of those used are single cases", () => {
    const harness = makeServing(30)
    for (let index = 0; index < 30; index++) harness.succeed(`a${index}`)
    harness.time.advance(1_000)
    failAll(harness, LOST, 8)
    expect(harness.scheduler.counts().byReason["needs-login"]).toBe(8)
    harness.report("a8", LOST)
    expect(harness.scheduler.counts().byReason["needs-login"]).toBeUndefined()
  })

  test("a success in between starts the count anew", () => {
    const harness = makeServing()
    failAll(harness, LOST, 4)
    harness.time.advance(1_000)
    harness.succeed("a9")
    harness.time.advance(1_000)
    for (const name of ["a4", "a5", "a6", "a7"]) harness.report(name, LOST)
    expect(harness.scheduler.counts().byReason["needs-login"]).toBe(8)
  })

  test("limits with a reset are the accounts' own, however many meet theirs", () => {
    const harness = makeServing()
    failAll(harness, block("quota", 3_600_000))
    expect(harness.scheduler.counts()).toMatchObject({ available: 0, byReason: { quota: 10 } })
    expect(harness.scheduler.counts().breaker).toBeUndefined()
  })

  test("before the first success the accounts may well be at fault", () => {
    const harness = makeHarness()
    for (let index = 0; index < 10; index++) harness.add(`a${index}`)
    failAll(harness, LOST)
    expect(harness.scheduler.counts().byReason["needs-login"]).toBe(10)
  })

  test("the word of the token refresher counts all the same", () => {
    const harness = makeServing()
    failAll(harness, LOST)
    harness.report("a3", LOST, { model: "" })
    expect(harness.view("a3").lifecycle).toBe("needs-login")
  })

  test("the first success of an attempt that began afterwards ends it, an older one does not", () => {
    const harness = makeServing()
    const beforeMs = harness.time.clock()
    harness.time.advance(1_000)
    failAll(harness, LOST)
    harness.time.advance(1_000)
    harness.succeed("a1", { startedAtMs: beforeMs })
    expect(harness.scheduler.counts().breaker).toBeDefined()
    harness.succeed("a1")
    expect(harness.scheduler.counts().breaker).toBeUndefined()
    harness.report("a2", LOST)
    expect(harness.view("a2").lifecycle).toBe("needs-login")
  })

  test("once nothing has succeeded for a minute, requests are let through one by one, ever more rarely", () => {
    const harness = makeServing()
    failAll(harness, LOST)
    // Something has just succeeded: the pool may still serve.
    harness.lease().release()
    harness.time.advance(60_000)
    harness.lease().release()
    const refused = harness.refusal()
    expect(refused).toMatchObject({ kind: "no-account", code: "upstream_outage", retryAfterMs: 2_000 })
    const waits: number[] = []
    for (let turn = 0; turn < 6; turn++) {
      const waitMs = harness.refusal().retryAfterMs ?? 0
      waits.push(waitMs)
      harness.time.advance(waitMs)
      harness.lease().release()
    }
    expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
    harness.succeed("a1")
    harness.lease()
    harness.lease()
  })

  test("the first output of an answer that began after the alarm ends the waiting, before the answer is whole", () => {
    const harness = makeServing()
    harness.time.advance(60_000)
    failAll(harness, LOST)
    const alarmAtMs = harness.time.clock()
    harness.time.advance(1_000)
    harness.lease()
    expect(harness.refusal().code).toBe("upstream_outage")
    harness.scheduler.answered(alarmAtMs)
    expect(harness.refusal().code).toBe("upstream_outage")
    harness.scheduler.answered(alarmAtMs + 1_000)
    expect(harness.scheduler.counts().breaker).toBeUndefined()
    expect(harness.lease().account).toBeString()
    // To no account's credit: its answer may still break off.
    expect(harness.scheduler.view().map(({ terms }) => terms.length)).toEqual(Array(10).fill(1))
  })

  test("accounts of one way out that is challenged rest with it, alarm or not", () => {
    const harness = makeServing()
    failAll(harness, LOST)
    harness.report("a1", block("challenge", 60_000, { type: "egress" }))
    expect(harness.scheduler.counts().byReason.challenge).toBe(10)
    expect(harness.scheduler.isUsable(id("a1"))).toBe(false)
  })
})

describe("encrypted content that many accounts cannot read any more", () => {
  const refuse = (harness: Harness, index: number, refusedOwnSeal: boolean) =>
    harness.scheduler.report(id(`a${index}`), {
      effect: NONE,
      startedAtMs: harness.time.clock(),
      model: "gpt-5",
      detail: "invalid_encrypted_content",
      kind: "invalid-request",
      refusedOwnSeal,
    })

  test("is the upstream's trouble: the operator hears of it and no account is charged", () => {
    const harness = makeServing()
    for (let index = 0; index < 5; index++) refuse(harness, index, true)
    expect(harness.scheduler.counts()).toMatchObject({ available: 10, breaker: { failure: "sealed-content" } })
    expect(harness.alarms[0]).toContain("(sealed-content)")
    expect(harness.scheduler.view().map(({ score, tier }) => `${score} ${tier}`)).toEqual(Array(10).fill("100 healthy"))
    harness.time.advance(1_000)
    harness.succeed("a3")
    expect(harness.scheduler.counts().breaker).toBeUndefined()
  })

  test("that somebody else had sealed says nothing about the upstream", () => {
    const harness = makeServing()
    for (let index = 0; index < 10; index++) refuse(harness, index, false)
    expect(harness.scheduler.counts().breaker).toBeUndefined()
  })
})
