/** What checks find out about proxies, and at what pace; in virtual time. */

import { describe, expect, test } from "bun:test"

import { makeProxyChecks } from "#gateway/egress/check-proxies.ts"
import type { KeptProxy, ProxyBook } from "#gateway/egress/proxy-book.ts"
import { noteCheck, type ProxyCheck, UNCHECKED } from "#gateway/egress/proxy-health.ts"
import { makeExitWatch } from "#gateway/egress/shared-exits.ts"

import { makeManualTime } from "../../../support/manual-timers.ts"

const NOW_MS = 1_800_000_000_000
const FAILS: ProxyCheck = { type: "fails", reason: "no answer" }
const WORKS: ProxyCheck = { type: "works", latencyMs: 12 }

const kept = (id: string): KeptProxy => ({
  id,
  name: id,
  url: `http://${id}.example:1`,
  enabled: true,
  maxConcurrent: 0,
  health: UNCHECKED,
  createdAtMs: 0,
})

function world(ids: readonly string[], intervalMs = 300_000) {
  const time = makeManualTime(NOW_MS)
  const proxies = new Map(ids.map(id => [id, kept(id)]))
  const broken = new Set<string>()
  const turned: string[] = []
  const asked: { readonly id: string; readonly atMs: number }[] = []
  const book: ProxyBook = {
    list: () => [...proxies.values()],
    get: id => proxies.get(id),
    add: () => [],
    change: () => [],
    remove: () => {},
    noteHealth: ({ id }, health) => {
      proxies.set(id, { ...kept(id), health })
    },
    faultOf: () => undefined,
    wayOf: () => undefined,
  }
  const checks = makeProxyChecks({
    clock: time.clock,
    timers: time.timers,
    book,
    probe: async egress => {
      const id = egress.id.replace(/^http:\/\/|\.example:1$/g, "")
      asked.push({ id, atMs: time.clock() - NOW_MS })
      if (broken.has(id)) return { type: "fails", reason: "no answer" }
      return { type: "works", status: 200, latencyMs: 12, exitAddress: "203.0.113.7" }
    },
    intervalMs: () => intervalMs,
    turned: ({ id, health }) => turned.push(`${id} ${health.state}`),
    checked: () => {},
    reportFailure: (name, cause) => {
      throw new Error(name, { cause })
    },
  })
  /** Lets time pass in steps of five seconds, with the rounds that fall due. */
  const pass = async (ms: number) => {
    for (let gone = 0; gone < ms; gone += 5_000) {
      time.advance(5_000)
      await checks.checkDue()
    }
  }
  return {
    checks,
    pass,
    broken,
    asked,
    turned,
    state: (id: string) => proxies.get(id)?.health.state,
    health: (id: string) => proxies.get(id)?.health,
  }
}

describe("a proxy's state", () => {
  test("falls with the third failure in a row, and one success between them starts over", () => {
    let health = noteCheck(UNCHECKED, FAILS, NOW_MS)
    health = noteCheck(health, FAILS, NOW_MS + 1)
    health = noteCheck(health, WORKS, NOW_MS + 2)
    health = noteCheck(health, FAILS, NOW_MS + 3)
    health = noteCheck(health, FAILS, NOW_MS + 4)
    expect(health.state).toBe("up")
    health = noteCheck(health, FAILS, NOW_MS + 5)
    expect(health).toMatchObject({ state: "down", downSinceMs: NOW_MS + 5, failure: "no answer" })
    expect(noteCheck(health, FAILS, NOW_MS + 99).downSinceMs).toBe(NOW_MS + 5)
  })

  test("rises with the second success", () => {
    const down = { state: "down", failStreak: 9, successStreak: 0, downSinceMs: NOW_MS } as const
    const once = noteCheck(down, WORKS, NOW_MS + 1)
    expect(once).toMatchObject({ state: "down", downSinceMs: NOW_MS })
    expect(noteCheck(once, WORKS, NOW_MS + 2)).toEqual({
      state: "up",
      failStreak: 0,
      successStreak: 2,
      latencyMs: 12,
      checkedAtMs: NOW_MS + 2,
    })
  })
})

test("a new proxy is checked at once, then at its pace; a doubtful one is proven down within a minute", async () => {
  const { pass, broken, asked, turned, state } = world(["a", "b"])
  await pass(5_000)
  expect(asked.map(({ id }) => id)).toEqual(["a", "b"])
  await pass(290_000)
  expect(asked).toHaveLength(2)
  broken.add("a")
  await pass(10_000)
  expect([state("a"), state("b")]).toEqual(["up", "up"])
  await pass(50_000)
  expect([state("a"), state("b")]).toEqual(["down", "up"])
  const ofA = asked.filter(({ id }) => id === "a").map(({ atMs }) => atMs)
  expect((ofA[3] ?? 0) - (ofA[1] ?? 0)).toBeLessThan(60_000)
  broken.clear()
  await pass(65_000)
  expect(state("a")).toBe("up")
  expect(turned).toEqual(["a up", "b up", "a down", "a up"])
})

test("what fails for all of them at once is held against none", async () => {
  const { pass, broken, state, health } = world(["a", "b"])
  for (const id of ["a", "b"]) broken.add(id)
  await pass(120_000)
  expect([state("a"), state("b")]).toEqual(["unknown", "unknown"])
  expect(health("a")?.failure).toContain("so did all the others")
})

test("with a pace of 0 nobody is asked unless it is ordered", async () => {
  const { pass, asked, checks, health } = world(["a"], 0)
  await pass(600_000)
  expect(asked).toEqual([])
  await checks.check([kept("a")], () => {})
  expect(health("a")).toMatchObject({ state: "up", exitAddress: "203.0.113.7" })
})

test("a check that was called off changes nothing", async () => {
  const { checks, health } = world(["a"])
  const stop = new AbortController()
  const running = checks.check([kept("a")], () => {}, stop.signal)
  stop.abort(new Error("enough"))
  expect(await running.catch((cause: unknown) => String(cause))).toContain("enough")
  expect(health("a")).toEqual(UNCHECKED)
})

test("ways that come out at one address are warned of once, and only where accounts use both", () => {
  const warnings: object[] = []
  const used = new Map([
    ["acc_1", "a"],
    ["acc_2", "a"],
  ])
  const at = (id: string) => ({ ...kept(id), health: { ...UNCHECKED, exitAddress: "203.0.113.7" } })
  let standardExit: string | undefined
  const watch = makeExitWatch({
    book: { list: () => [at("a"), at("b"), kept("c")] },
    accounts: () => ({
      accounts: () => [...used.keys()].map(id => ({ id }) as never),
      settingsOf: id => (used.get(id) === "" ? {} : { egress: { mode: "fixed", proxy: used.get(id) ?? "" } }),
    }),
    standardExit: () => standardExit,
    warn: fields => warnings.push(fields),
  })
  watch()
  expect(warnings).toEqual([])
  used.set("acc_2", "b")
  watch()
  watch()
  expect(warnings).toEqual([{ exitAddress: "203.0.113.7", ways: ["a", "b"] }])
  // A proxy that leads out at this machine's own address.
  used.set("acc_2", "")
  watch()
  standardExit = "203.0.113.7"
  watch()
  watch()
  expect(warnings.slice(1)).toEqual([{ exitAddress: "203.0.113.7", ways: ["a", "the configured way"] }])
})
