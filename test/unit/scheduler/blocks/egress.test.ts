/** Ways out that are shut, and ways out that fail: what their accounts do meanwhile. */

import { describe, expect, test } from "bun:test"

import { block, id, makeHarness } from "../harness.ts"

const PROXY = block("proxy", 10_000, { type: "egress" })

describe("fault 76: a proxy that fails", () => {
  test("rests with its first failure, with all of its accounts, and none of them pays for it", () => {
    const { add, report, lease, view } = makeHarness()
    for (const name of ["a", "b", "c"]) add(name, { egress: "proxy/one" })
    add("d")
    report("a", PROXY)
    for (const name of ["a", "b", "c"]) expect(view(name)).toMatchObject({ available: false, reason: "proxy" })
    for (const name of ["a", "b", "c"]) expect(view(name)).toMatchObject({ score: 100, tier: "healthy" })
    for (let taken = 0; taken < 2; taken++) expect(lease().account).toBe(id("d"))
  })

  test("is tried again after ten seconds, then after twenty, and a success forgives all", () => {
    const { add, report, succeed, view, time } = makeHarness()
    add("a", { egress: "proxy/one" })
    add("b")
    report("a", PROXY)
    time.advance(10_000)
    expect(view("a").available).toBe(true)
    time.advance(1)
    report("a", PROXY)
    time.advance(19_999)
    expect(view("a").available).toBe(false)
    time.advance(1)
    succeed("a")
    time.advance(1)
    report("a", PROXY)
    time.advance(10_000)
    expect(view("a").available).toBe(true)
  })

  test("is taken as a last resort when nobody else is left: it leads nowhere but through itself", () => {
    const { add, report, lease } = makeHarness()
    add("a", { egress: "proxy/one" })
    report("a", PROXY)
    expect(lease().account).toBe(id("a"))
  })
})

describe("a way out that is shut", () => {
  test.each(["proxy-missing", "proxy-disabled", "proxy-unusable", "proxy-down"] as const)(
    "because of %s keeps all of its accounts out, also as a last resort, and says why",
    fault => {
      const { add, refusal, scheduler, view } = makeHarness()
      scheduler.setEgress("proxy/one", fault)
      for (const name of ["a", "b"]) add(name, { egress: "proxy/one" })
      expect(view("a")).toMatchObject({ available: false, reason: fault })
      expect(refusal().message).toContain("2 accounts assigned to a proxy")
      expect(scheduler.counts()).toMatchObject({ available: 0, byReason: { [fault]: 2 } })
    },
  )

  test("is no matter of accounts that go out another way", () => {
    const { add, lease, scheduler } = makeHarness()
    add("a", { egress: "proxy/one" })
    add("b")
    scheduler.setEgress("proxy/one", "proxy-disabled")
    for (let taken = 0; taken < 2; taken++) expect(lease().account).toBe(id("b"))
  })

  test("lets its accounts serve again once it is opened, those first who wait", async () => {
    const { add, ask, lease, scheduler } = makeHarness({ accountConcurrency: 1 })
    add("a", { egress: "proxy/one" })
    add("b")
    scheduler.setEgress("proxy/one", "proxy-down")
    expect(lease().account).toBe(id("b"))
    const waiting = ask()
    if (waiting.type !== "wait") throw new Error(`expected to wait, got ${waiting.type}`)
    scheduler.setEgress("proxy/one", undefined)
    expect((await waiting.lease).account).toBe(id("a"))
  })

  test("ends the waiting of those whom nobody else could serve", async () => {
    const { add, ask, lease, scheduler } = makeHarness({ accountConcurrency: 1 })
    add("a", { egress: "proxy/one" })
    const held = lease()
    const waiting = ask()
    if (waiting.type !== "wait") throw new Error(`expected to wait, got ${waiting.type}`)
    const end = waiting.lease.catch((cause: unknown) => String(cause))
    scheduler.setEgress("proxy/one", "proxy-disabled")
    expect(await end).toContain("a proxy that is disabled")
    held.release()
  })
})

test("whatever opens and shuts, nobody is taken on a way out that is shut", () => {
  const { add, ask, report, scheduler, time } = makeHarness({ accountConcurrency: 3 })
  const ways = ["proxy/one", "proxy/two", "proxy/three"]
  const wayOf = new Map<string, string>()
  for (let number = 0; number < 12; number++) {
    const egress = ways[number % ways.length] ?? ""
    wayOf.set(`a${number}`, egress)
    add(`a${number}`, { egress })
  }
  // A small generator with a fixed beginning: the run is the same each time.
  let seed = 7
  const below = (limit: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((seed / 2_147_483_648) * limit)
  }
  const shut = new Set<string>()
  const held: { release(): void }[] = []
  const granted: boolean[] = []
  const turn = (way: string) => {
    const isShut = !shut.delete(way)
    if (isShut) shut.add(way)
    scheduler.setEgress(way, isShut ? "proxy-down" : undefined)
  }
  const take = () => {
    const acquired = ask({ deadlineMs: time.clock() })
    if (acquired.type === "wait") acquired.lease.catch(() => undefined)
    if (acquired.type !== "lease") return
    held.push(acquired.lease)
    granted.push(shut.has(wayOf.get(acquired.lease.account) ?? ""))
  }
  const steps = [
    () => turn(ways[below(ways.length)] ?? ""),
    () => report(`a${below(12)}`, PROXY),
    () => time.advance(below(20_000)),
    () => held.splice(below(held.length + 1), 1)[0]?.release(),
    take,
    take,
  ]
  for (let count = 0; count < 20_000; count++) steps[below(steps.length)]?.()
  expect(granted.length).toBeGreaterThan(1_000)
  expect(granted).not.toContain(true)
})
