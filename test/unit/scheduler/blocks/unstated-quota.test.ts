/** A spent quota for which nobody says when it comes back is tried again, later each time. */

import { expect, test } from "bun:test"

import { makeHarness, START_MS } from "../harness.ts"

const MINUTE_MS = 60_000
const QUOTA = { type: "block", scope: { type: "account" }, cause: "quota", forMs: 5 * MINUTE_MS } as const
const UNSTATED = { ...QUOTA, isUnstated: true } as const

test("fault 10: it rests 5, 15, then 60 minutes at a time, and never for good", async () => {
  const { add, report, view, time, lease } = makeHarness()
  add("a")
  for (const minutes of [5, 15, 60, 60]) {
    report("a", UNSTATED)
    const restMs = (view("a").blocks[0]?.untilMs ?? 0) - time.clock()
    expect(restMs).toBe(minutes * MINUTE_MS)
    await time.advance(restMs)
    lease().release()
    await time.advance(1)
  }
})

test("requests that are refused together count once", async () => {
  const { add, report, view, time } = makeHarness()
  add("a")
  await time.advance(10)
  report("a", UNSTATED)
  report("a", UNSTATED, { startedAtMs: START_MS })
  expect(view("a").blocks[0]?.untilMs).toBe(time.clock() + 5 * MINUTE_MS)
})

test("a success starts the ladder anew, and a stated reset is no step of it", async () => {
  const { add, report, succeed, view, time } = makeHarness()
  add("a")
  report("a", UNSTATED)
  await time.advance(6 * MINUTE_MS)
  report("a", { ...QUOTA, forMs: MINUTE_MS })
  expect(view("a").blocks[0]?.untilMs).toBe(time.clock() + MINUTE_MS)
  await time.advance(2 * MINUTE_MS)
  succeed("a")
  await time.advance(MINUTE_MS)
  report("a", UNSTATED)
  expect(view("a").blocks[0]?.untilMs).toBe(time.clock() + 5 * MINUTE_MS)
})
