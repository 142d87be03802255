/** The keeper of one thread, in virtual time: what it does when the thread ends, cannot begin, or has to stop. */

import { expect, test } from "bun:test"

import { GatewayError } from "#core/errors.ts"
import { freezeError } from "#relay/frozen-error.ts"
import type { ToOwner, ToRelay } from "#relay/messages.ts"
import { makeRelayKeeper } from "#relay/owner/relay-keeper.ts"

import { makeManualTime } from "../../support/manual-timers.ts"

/** Stands for a thread: what it is told is kept, and a test speaks for it. */
class ToldThread extends EventTarget {
  readonly told: ToRelay[] = []
  postMessage(message: ToRelay): void {
    this.told.push(message)
  }
  terminate(): void {
    this.dispatchEvent(new Event("close"))
  }
  say(data: ToOwner): void {
    this.dispatchEvent(new MessageEvent("message", { data }))
  }
  throwUncaught(message: string): void {
    this.dispatchEvent(new ErrorEvent("error", { message }))
    this.dispatchEvent(new Event("close"))
  }
}

function makeWorld() {
  const time = makeManualTime()
  const threads: ToldThread[] = []
  const losses: { readonly reason: string; readonly pauseMs: number }[] = []
  const keeper = makeRelayKeeper({
    ...time,
    openWorker: () => {
      const thread = new ToldThread()
      threads.push(thread)
      // Everything that the keeper uses of a thread is there.
      return thread as unknown as Worker
    },
    host: "127.0.0.1",
    door: "/nowhere/door.sock",
    settings: () => ({ bodyTimeoutMs: 1, maxBodyBytes: 2, carries: true }),
    onLoss: loss => losses.push(loss),
    serve: () => Promise.resolve(new Response()),
    introduce: () => {},
    isReadableByPages: () => false,
  })
  const last = () => {
    const thread = threads.at(-1)
    if (thread === undefined) throw new Error("no thread was opened")
    return thread
  }
  return { time, threads, losses, keeper, last }
}

async function startedWorld() {
  const world = makeWorld()
  const started = world.keeper.start(0)
  world.last().say({ type: "listening", port: 4321 })
  expect(await started).toBe(4321)
  return world
}

test("a thread that ends is replaced at the same port, after a pause that doubles up to 30 s", async () => {
  const { time, threads, losses, keeper, last } = await startedWorld()
  for (let loss = 1; loss <= 10; loss += 1) {
    last().terminate()
    expect(keeper.view()).toEqual({ alive: false, streams: 0, restarts: loss })
    const { pauseMs = 0 } = losses.at(-1) ?? {}
    time.advance(pauseMs - 1)
    expect(threads).toHaveLength(loss)
    time.advance(1)
    expect(threads).toHaveLength(loss + 1)
    expect(last().told[0]).toMatchObject({ type: "start", port: 4321 })
    last().say({ type: "listening", port: 4321 })
  }
  expect(losses.map(({ pauseMs }) => pauseMs)).toEqual([
    100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000,
  ])
})

test("after one that has lived for a minute the pause begins anew", async () => {
  const { time, losses, last } = await startedWorld()
  last().terminate()
  time.advance(100)
  last().say({ type: "listening", port: 4321 })
  time.advance(60_000)
  last().terminate()
  expect(losses.map(({ pauseMs }) => pauseMs)).toEqual([100, 100])
})

test.each([
  ["error: it tripped\n      at x.ts:1", "it tripped"],
  ["12 | code()\n         ^\nTypeError: x is not a function\n      at y", "x is not a function"],
  ["something else", "something else"],
])("the reason of a loss is what was thrown: %j", async (message, reason) => {
  const { losses, last } = await startedWorld()
  last().throwUncaught(message)
  expect(losses).toEqual([{ reason, pauseMs: 100 }])
})

test("a first thread that cannot listen is the caller's affair, and is not tried again", async () => {
  const { time, threads, losses, keeper, last } = makeWorld()
  const started = keeper.start(80)
  last().say({ type: "failed", error: freezeError(new GatewayError("invalid-request", "Cannot listen on it.")) })
  await expect(started).rejects.toThrow("Cannot listen on it.")
  time.advance(60_000)
  expect(threads).toHaveLength(1)
  expect(losses).toEqual([])
})

test("a replacement that cannot begin is followed by another one", async () => {
  const { time, threads, losses, last } = await startedWorld()
  last().terminate()
  time.advance(100)
  last().say({ type: "failed", error: freezeError(new GatewayError("invalid-request", "The port is taken.")) })
  expect(losses.map(({ reason }) => reason)).toEqual(["it has ended", "The port is taken."])
  time.advance(200)
  expect(threads).toHaveLength(3)
})

test("a drain waits for the thread's word, and nothing is replaced any more", async () => {
  const { time, threads, losses, keeper, last } = await startedWorld()
  const drained = keeper.drain()
  expect(last().told.at(-1)).toEqual({ type: "drain" })
  last().say({ type: "drained" })
  await drained
  keeper.stop()
  time.advance(60_000)
  expect(threads).toHaveLength(1)
  expect(losses).toEqual([])
})

test("a drain in the pause after a loss ends at once, and no thread follows", async () => {
  const { time, threads, keeper, last } = await startedWorld()
  last().terminate()
  await keeper.drain()
  time.advance(60_000)
  expect(threads).toHaveLength(1)
})

test("a thread that dies while it drains ends the drain", async () => {
  const { losses, keeper, last } = await startedWorld()
  const drained = keeper.drain()
  last().terminate()
  await drained
  expect(losses).toEqual([])
})

test("changed settings are told to the thread that runs", async () => {
  const { keeper, last } = await startedWorld()
  keeper.follow()
  const settings = { bodyTimeoutMs: 1, maxBodyBytes: 2, carries: true }
  expect(last().told.at(-1)).toEqual({ type: "settings", settings })
})
