import { describe, expect, test } from "bun:test"

import { GatewayError } from "#core/errors.ts"
import type { Acquired, Demand, Lease } from "#scheduler/types.ts"

import { block, type Harness, id, makeHarness, START_MS } from "../harness.ts"

/** Asks, expects to wait, and notes under `name` when the lease comes. */
function queueUp(harness: Harness, served: string[], name: string, demand: Partial<Demand> = {}): Promise<Lease> {
  const acquired = harness.ask(demand)
  if (acquired.type !== "wait") throw new Error(`expected to wait, got ${acquired.type}`)
  return acquired.lease.then(lease => {
    served.push(name)
    return lease
  })
}

async function errorOf(acquired: Acquired): Promise<GatewayError> {
  if (acquired.type !== "wait") throw new Error(`expected to wait, got ${acquired.type}`)
  const outcome = await acquired.lease.catch((error: unknown) => error)
  if (outcome instanceof GatewayError) return outcome
  throw new Error("expected a rejection")
}

describe("waiting for a slot", () => {
  test("a released slot goes to the first in line before anyone new", async () => {
    const harness = makeHarness({ accountConcurrency: 1 })
    harness.add("a")
    const held = harness.lease()
    const served: string[] = []
    const first = queueUp(harness, served, "first")
    const second = queueUp(harness, served, "second")
    held.release()
    expect(harness.ask().type).toBe("wait")
    const lease = await first
    lease.release()
    await second
    expect(served).toEqual(["first", "second"])
  })

  test("keys take turns, whatever the length of their lines", async () => {
    const harness = makeHarness({ accountConcurrency: 1 })
    harness.add("a")
    let current = harness.lease()
    const served: string[] = []
    const leases: Lease[] = []
    for (const name of ["x1", "x2", "x3", "x4", "y1", "z1", "y2"]) {
      void queueUp(harness, served, name, { keyId: name.slice(0, 1) }).then(lease => leases.push(lease))
    }
    for (let turn = 1; turn <= 7; turn++) {
      current.release()
      await new Promise<void>(resolve => setImmediate(resolve))
      current = leases[turn - 1] ?? current
    }
    expect(served).toEqual(["x1", "y1", "z1", "x2", "y2", "x3", "x4"])
  })

  test("a slot passes by those who cannot use it", async () => {
    const harness = makeHarness({ accountConcurrency: 1 })
    harness.add("a")
    harness.add("b")
    harness.scheduler.setModels(id("a"), new Set(["gpt-5"]))
    harness.scheduler.setModels(id("b"), new Set(["gpt-5", "gpt-5-mini"]))
    const leases = [harness.lease(), harness.lease()]
    const ofA = leases.find(({ account }) => account === id("a"))
    const served: string[] = []
    void queueUp(harness, served, "wants mini", { model: "gpt-5-mini", keyId: "k1" })
    void queueUp(harness, served, "has tried a", { exclude: new Set([id("a")]), keyId: "k2" })
    const fits = queueUp(harness, served, "fits", { keyId: "k3" })
    ofA?.release()
    expect((await fits).account).toBe(id("a"))
    expect(served).toEqual(["fits"])
  })

  test("at its deadline a waiter is told to come back shortly", async () => {
    const harness = makeHarness({ accountConcurrency: 1, queueTimeoutMs: 5_000 })
    harness.add("a")
    harness.lease()
    const waiting = harness.ask()
    harness.time.advance(5_000)
    const error = await errorOf(waiting)
    expect(error.kind).toBe("no-account")
    expect(error.retryAfterMs).toBeGreaterThanOrEqual(1_000)
    expect(error.retryAfterMs).toBeLessThanOrEqual(5_000)
    expect(harness.scheduler.counts().waiting).toBe(0)
  })

  test("the client's own deadline counts when it is nearer", async () => {
    const harness = makeHarness({ accountConcurrency: 1 })
    harness.add("a")
    harness.lease()
    const waiting = harness.ask({ deadlineMs: START_MS + 100 })
    harness.time.advance(100)
    expect((await errorOf(waiting)).code).toBe("accounts_busy")
    expect(harness.refusal({ deadlineMs: START_MS + 100 }).code).toBe("accounts_busy")
  })

  test("the line has an end, in all and for one key", () => {
    const harness = makeHarness({ accountConcurrency: 1, queueMax: 3, queueMaxPerKey: 2 })
    harness.add("a")
    harness.lease()
    expect(harness.ask({ keyId: "x" }).type).toBe("wait")
    expect(harness.ask({ keyId: "x" }).type).toBe("wait")
    expect(harness.refusal({ keyId: "x" }).kind).toBe("no-account")
    expect(harness.ask({ keyId: "y" }).type).toBe("wait")
    expect(harness.refusal({ keyId: "z" }).kind).toBe("no-account")
  })

  test("a cancelled waiter leaves nothing behind: no slot, no place, no timer, no listener", async () => {
    const harness = makeHarness({ accountConcurrency: 1 })
    harness.add("a")
    const held = harness.lease()
    const client = new AbortController()
    const waiting = harness.ask({ signal: client.signal })
    client.abort()
    expect((await errorOf(waiting)).kind).toBe("cancelled")
    expect(harness.scheduler.counts()).toMatchObject({ waiting: 0, leases: 1 })
    held.release()
    expect(harness.scheduler.counts().leases).toBe(0)
    harness.time.advance(60_000)
    expect(harness.time.waiting()).toEqual([])
  })

  test("deadlines of those who left do not wake anybody", () => {
    const harness = makeHarness({ accountConcurrency: 1 })
    harness.add("a")
    harness.lease()
    for (const seconds of [5, 10, 15]) {
      const waiting = harness.ask({ deadlineMs: START_MS + seconds * 1000 })
      if (waiting.type === "wait") waiting.cancel()
    }
    harness.time.advance(5_000)
    expect(harness.time.waiting()).toEqual([])
  })

  test("a client that leaves after it was served does not give the slot back a second time", async () => {
    const harness = makeHarness({ accountConcurrency: 1 })
    harness.add("a")
    const held = harness.lease()
    const client = new AbortController()
    const waiting = queueUp(harness, [], "first", { signal: client.signal })
    held.release()
    const lease = await waiting
    client.abort()
    expect(harness.scheduler.counts().leases).toBe(1)
    lease.release()
    expect(harness.scheduler.counts().leases).toBe(0)
  })

  test("cancelling in the moment of the hand-over gives the slot back", () => {
    const harness = makeHarness({ accountConcurrency: 1 })
    harness.add("a")
    const held = harness.lease()
    const waiting = harness.ask()
    held.release()
    expect(harness.scheduler.counts().leases).toBe(1)
    if (waiting.type === "wait") waiting.cancel()
    expect(harness.scheduler.counts().leases).toBe(0)
  })

  test("when every account runs out of quota, those in line are told at once", async () => {
    const harness = makeHarness({ accountConcurrency: 1 })
    harness.add("a")
    const held = harness.lease()
    const waiting = harness.ask()
    harness.report("a", block("quota", 3_600_000))
    const error = await errorOf(waiting)
    expect(error.kind).toBe("quota-exhausted")
    held.release()
  })

  test("a burst that ends within seconds is waited for", async () => {
    const harness = makeHarness()
    harness.add("a")
    harness.report("a", block("burst", 4_000))
    const waiting = harness.ask()
    harness.time.advance(4_000)
    if (waiting.type !== "wait") throw new Error("expected to wait")
    expect((await waiting.lease).account).toBe(id("a"))
  })

  test("a raised concurrency is used from the next request on, for those in line as well", async () => {
    const harness = makeHarness({ accountConcurrency: 1 })
    harness.add("a")
    harness.lease()
    const served: string[] = []
    const waiting = queueUp(harness, served, "first")
    harness.limits.accountConcurrency = 3
    harness.lease()
    expect((await waiting).account).toBe(id("a"))
    expect(harness.ask().type).toBe("wait")
  })

  test("a new account serves those in line", async () => {
    const harness = makeHarness({ accountConcurrency: 1 })
    harness.add("a")
    harness.lease()
    const waiting = queueUp(harness, [], "first")
    harness.add("b")
    expect((await waiting).account).toBe(id("b"))
  })
})

describe("picking", () => {
  test("release works once", () => {
    const { add, lease, scheduler, ask } = makeHarness({ accountConcurrency: 1 })
    add("a")
    const first = lease()
    first.release()
    const second = lease()
    first.release()
    expect(scheduler.counts().leases).toBe(1)
    expect(ask().type).toBe("wait")
    second.release()
    second.release()
    expect(scheduler.counts()).toMatchObject({ leases: 1, waiting: 0 })
  })

  test("the preferred account is taken whatever its load, unless it is full, out or excluded", () => {
    const { add, lease } = makeHarness({ accountConcurrency: 2 })
    add("a")
    add("b")
    expect(lease({ prefer: id("a") }).account).toBe(id("a"))
    expect(lease({ prefer: id("a") }).account).toBe(id("a"))
    expect(lease({ prefer: id("a") }).account).toBe(id("b"))
    expect(lease({ prefer: id("b"), exclude: new Set([id("a")]) }).account).toBe(id("b"))
  })

  test("a request for one account only waits for it without a look at the others, however many there are", async () => {
    const { add, ask, lease, scheduler } = makeHarness({ accountConcurrency: 1 })
    for (let index = 0; index < 200; index++) add(`a${index}`)
    const held = lease({ prefer: id("a7") })
    let looks = 0
    const others = Object.assign(new Set([id("nobody")]), {
      has: (account: string) => {
        looks += 1
        return account !== "a7"
      },
    })
    const acquired = ask({ only: id("a7"), exclude: others })
    if (acquired.type !== "wait") throw new Error(`expected to wait, got ${acquired.type}`)
    // Any change of any account looks again whether waiting still makes sense.
    scheduler.setLifecycle(id("a3"), "paused")
    expect(looks).toBeLessThan(10)
    held.release()
    expect((await acquired.lease).account).toBe(id("a7"))
    expect(scheduler.view().find(row => row.id === id("a7"))).toMatchObject({ load: 1, cap: 1 })
  })

  test("only the wanted providers serve", () => {
    const { add, lease, refusal } = makeHarness()
    add("a", { provider: "openai-api" })
    expect(refusal({ providers: ["codex"] }).kind).toBe("no-account")
    expect(lease({ providers: ["codex", "openai-api"] }).account).toBe(id("a"))
  })

  test("a removed account's running requests end as usual, and it may come back meanwhile", () => {
    const { add, lease, scheduler, ask } = makeHarness({ accountConcurrency: 1 })
    add("a")
    const running = lease()
    scheduler.remove(id("a"))
    expect(scheduler.counts()).toMatchObject({ total: 0, leases: 1 })
    add("a")
    expect(ask().type).toBe("wait")
    scheduler.remove(id("a"))
    running.release()
    expect(scheduler.counts()).toMatchObject({ total: 0, leases: 0 })
  })
})
