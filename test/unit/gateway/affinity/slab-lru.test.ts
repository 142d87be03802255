import { describe, expect, test } from "bun:test"

import { makeSlabLru, NOTHING, type SlabLru } from "#gateway/affinity/slab-lru.ts"

import { makeManualTime } from "../../../support/manual-timers.ts"

const MINUTE_MS = 60_000

function start(maxEntries = 1000, idleMs = 60 * MINUTE_MS) {
  const time = makeManualTime()
  return { time, lru: named(makeSlabLru({ clock: time.clock, maxEntries, idleMs })) }
}

/** The same map with keys that can be read. */
function named(lru: SlabLru) {
  const keys = new Map<string, number>()
  const keyOf = (name: string) => {
    const key = keys.get(name) ?? 2 ** 52 + keys.size
    keys.set(name, key)
    return key
  }
  const nameOf = (key: number) => [...keys].find(([, one]) => one === key)?.[0] ?? ""
  return {
    ...lru,
    get: (name: string) => lru.get(keyOf(name)),
    set: (name: string, value: number) => lru.set(keyOf(name), value),
    restore: ({ key, ...entry }: { key: string; value: number; usedAtMs: number }) =>
      lru.restore({ key: keyOf(key), ...entry }),
    takeChanged: (max: number) => lru.takeChanged(max).map(({ key, ...entry }) => ({ key: nameOf(key), ...entry })),
  }
}

describe("entries", () => {
  test("are found again, replaced, and missed when they are not there", () => {
    const { lru } = start()
    lru.set("a", 1)
    lru.set("b", 0)
    lru.set("a", 2)
    expect([lru.get("a"), lru.get("b"), lru.get("c")]).toEqual([2, 0, NOTHING])
    expect(lru.size()).toBe(2)
  })

  test("go in the order of their last use once the map is full", () => {
    const { lru } = start(3)
    for (const key of ["a", "b", "c"]) lru.set(key, 1)
    lru.get("a")
    lru.set("d", 1)
    expect(["a", "b", "c", "d"].map(lru.get)).toEqual([1, NOTHING, 1, 1])
  })

  test("agree with a plain model over a long random run", () => {
    const { time, lru } = start(50, 400)
    const model = makeModel(50, 400)
    let seed = 1
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return Math.floor((seed / 2_147_483_648) * below)
    }
    for (let step = 0; step < 50_000; step += 1) {
      time.advance(random(8))
      const key = `k${random(120)}`
      if (random(3) > 0) {
        expect(lru.get(key)).toBe(model.get(key, time.clock()))
        continue
      }
      // The real map may still hold idle entries and so drop a live one early; sweeping first makes both exact.
      lru.expire(1000)
      const value = random(1000)
      lru.set(key, value)
      model.set(key, value, time.clock())
    }
    lru.expire(1000)
    expect(lru.size()).toBe(model.size(time.clock()))
  })
})

/** The same in the plainest way: a Map in order of use, searched from end to end. */
function makeModel(maxEntries: number, idleMs: number) {
  const entries = new Map<string, { readonly value: number; readonly usedAtMs: number }>()
  const sweep = (nowMs: number) => {
    for (const [key, { usedAtMs }] of entries) if (nowMs - usedAtMs > idleMs) entries.delete(key)
  }
  const set = (key: string, value: number, nowMs: number) => {
    sweep(nowMs)
    const oldest = entries.has(key) || entries.size < maxEntries ? undefined : [...entries.keys()][0]
    entries.delete(oldest ?? key)
    entries.set(key, { value, usedAtMs: nowMs })
  }
  return {
    set,
    get: (key: string, nowMs: number): number => {
      sweep(nowMs)
      const value = entries.get(key)?.value
      if (value !== undefined) set(key, value, nowMs)
      return value ?? NOTHING
    },
    size: (nowMs: number): number => {
      sweep(nowMs)
      return entries.size
    },
  }
}

describe("idle time", () => {
  test("counts from the last use, not from the beginning", () => {
    const { time, lru } = start()
    lru.set("used", 1)
    lru.set("idle", 1)
    for (let minutes = 0; minutes < 8 * 60; minutes += 50) {
      time.advance(50 * MINUTE_MS)
      expect(lru.get("used")).toBe(1)
    }
    expect(lru.get("idle")).toBe(NOTHING)
  })

  test("is swept up a few at a time", () => {
    const { time, lru } = start()
    for (let index = 0; index < 10; index += 1) lru.set(`k${index}`, 1)
    time.advance(61 * MINUTE_MS)
    lru.expire(4)
    expect(lru.size()).toBe(6)
    lru.set("new", 1)
    expect(lru.size()).toBe(5)
    lru.expire(100)
    expect(lru.size()).toBe(1)
    expect(lru.get("new")).toBe(1)
  })
})

describe("what has to be kept elsewhere", () => {
  const keysOf = (lru: ReturnType<typeof named>, max = 100) => lru.takeChanged(max).map(({ key }) => key)

  test("is new or has another value, each entry once", () => {
    const { lru } = start()
    lru.set("a", 1)
    lru.set("a", 2)
    lru.set("b", 1)
    expect(lru.takeChanged(1).map(({ key, value }) => [key, value])).toEqual([["a", 2]])
    expect(keysOf(lru)).toEqual(["b"])
    lru.set("b", 1)
    expect(keysOf(lru)).toEqual([])
    lru.set("b", 3)
    expect(keysOf(lru)).toEqual(["b"])
  })

  test("names a use again only when it has moved on much", () => {
    const { time, lru } = start()
    lru.set("a", 1)
    keysOf(lru)
    time.advance(4 * MINUTE_MS)
    lru.get("a")
    expect(keysOf(lru)).toEqual([])
    time.advance(4 * MINUTE_MS)
    lru.get("a")
    expect(lru.takeChanged(10)).toEqual([{ key: "a", value: 1, usedAtMs: time.clock() }])
  })

  test("leaves out what was dropped, also when its place was taken again", () => {
    const { lru } = start(1)
    lru.set("a", 1)
    lru.set("b", 2)
    expect(keysOf(lru)).toEqual(["b"])
  })

  test("is put back with its own last use and not named again", () => {
    const { time, lru } = start()
    lru.set("known", 1)
    keysOf(lru)
    lru.restore({ key: "old", value: 7, usedAtMs: time.clock() - 59 * MINUTE_MS })
    lru.restore({ key: "known", value: 9, usedAtMs: time.clock() - 1 })
    expect(keysOf(lru)).toEqual([])
    expect(lru.get("known")).toBe(1)
    time.advance(2 * MINUTE_MS)
    expect(lru.get("old")).toBe(NOTHING)
  })
})
