/** Which refresh starts when. */

import { expect, test } from "bun:test"

import { makeRefreshQueue, type RefreshLane } from "#accounts/refresh/refresh-queue.ts"

import { makeManualTime } from "../../../support/manual-timers.ts"

function makeRig(maxRunning = 4) {
  const time = makeManualTime()
  const queue = makeRefreshQueue({ clock: time.clock, timers: time.timers, maxRunning, backgroundGapMs: 1000 })
  const started: string[] = []
  const ends = new Map<string, () => void>()
  const add = (key: string, lane: RefreshLane, expiresAtMs?: number) => {
    const start = () => {
      started.push(key)
      const { promise, resolve } = Promise.withResolvers<void>()
      ends.set(key, resolve)
      return promise
    }
    queue.add(key, lane, { start, expiresAtMs })
  }
  return { time, queue, started, add, end: (key: string) => ends.get(key)?.() }
}

test("fault 37: the background keeps alive what ends soonest, then brings back what ended last", () => {
  const { time, started, add } = makeRig(100)
  const inMs = (ms: number) => time.clock() + ms
  add("first come", "background", inMs(-1))
  add("dead for days", "background", inMs(-500_000_000))
  add("dead for an hour", "background", inMs(-3_600_000))
  add("of unknown end", "background")
  add("lives an hour", "background", inMs(3_600_000))
  add("lives a minute", "background", inMs(60_000))
  time.advance(5_000)
  expect(started).toEqual([
    "first come",
    "lives a minute",
    "lives an hour",
    "of unknown end",
    "dead for an hour",
    "dead for days",
  ])
})

test("fault 37: ten thousand due at once start one a second", () => {
  const { time, started, add } = makeRig(100_000)
  for (let index = 0; index < 10_000; index++) add(`${index}`, "background")
  expect(started).toHaveLength(1)
  time.advance(20_000)
  expect(started).toHaveLength(21)
})

test("fault 37: demand starts at once, even when the background fills its share with calls that hang", () => {
  const { time, started, add } = makeRig(4)
  for (let index = 0; index < 10; index++) add(`b${index}`, "background")
  time.advance(60_000)
  expect(started).toEqual(["b0", "b1", "b2"])
  add("client", "demand")
  expect(started.at(-1)).toBe("client")
})

test("a waiting key that a client asks for moves ahead and starts once", async () => {
  const { time, started, add, end, queue } = makeRig(1)
  add("first", "demand")
  add("a", "background")
  add("b", "background")
  add("b", "demand")
  queue.promote("unknown", "demand")
  end("first")
  await time.advanceAsync(0)
  expect(started).toEqual(["first", "b"])
  end("b")
  await time.advanceAsync(5000)
  expect(started).toEqual(["first", "b", "a"])
})

test("a paused queue starts nothing, not even demand, until it resumes", () => {
  const { time, started, add, queue } = makeRig()
  queue.pause()
  add("a", "demand")
  add("b", "background")
  time.advance(10_000)
  expect(started).toEqual([])
  queue.resume()
  expect(started).toEqual(["a", "b"])
})

test("draining drops what waits and ends when what runs has ended", async () => {
  const { started, add, end, queue } = makeRig(1)
  add("runs", "demand")
  add("waits", "demand")
  let isDrained = false
  const drained = queue.drain().then(() => {
    isDrained = true
  })
  await Promise.resolve()
  expect(isDrained).toBe(false)
  end("runs")
  await drained
  expect(started).toEqual(["runs"])
})
