/** What is learned of an account's limit from complaints and their absence. */

import { describe, expect, test } from "bun:test"

import { capUnder, cutCap, growCap, makeLearnedCap } from "#scheduler/health/learned-cap.ts"

const CEILING = 6
const MINUTE_MS = 60_000

/** An upstream that bears `bears` requests, an account that is always as busy as it may be: refusals in `hours`. */
function refusalsIn(hours: number, { bears, answerMs }: { bears: number; answerMs: number }) {
  const cap = makeLearnedCap()
  let refusals = 0
  let served = 0
  for (let nowMs = 0; nowMs < hours * 60 * MINUTE_MS; nowMs += answerMs / bears) {
    const inFlight = capUnder(cap, CEILING)
    if (inFlight > bears) {
      refusals += 1
      cutCap(cap, inFlight, nowMs)
    }
    served += 1
    growCap(cap, CEILING, nowMs)
  }
  return { refusals, served }
}

describe("a limit that stands", () => {
  test.each([3, 4, 5])("of %d is met fewer than 15 times in 1,000 requests, however long answers take", bears => {
    for (const answerMs of [5_000, 30_000, 90_000]) {
      const { refusals, served } = refusalsIn(24, { bears, answerMs })
      expect(refusals).toBeGreaterThan(5)
      expect((1000 * refusals) / served).toBeLessThan(15)
    }
  })

  test("holds twice as long each time it is met again, up to an hour", () => {
    const cap = makeLearnedCap()
    const holds: number[] = []
    let nowMs = 0
    for (let meeting = 0; meeting < 7; meeting++) {
      cutCap(cap, 5, nowMs)
      holds.push((cap.holdUntilMs - nowMs) / MINUTE_MS)
      nowMs = cap.holdUntilMs + 1
    }
    expect(holds).toEqual([1, 2, 4, 8, 16, 32, 60])
  })

  test("is asked about from anew when more was borne meanwhile, or after a quiet time", () => {
    const cap = makeLearnedCap()
    cutCap(cap, 5, 0)
    cutCap(cap, 5, 2 * MINUTE_MS)
    cutCap(cap, 6, 10 * MINUTE_MS)
    expect(cap.holdUntilMs).toBe(11 * MINUTE_MS)
    cutCap(cap, 6, 200 * MINUTE_MS)
    expect(cap.holdUntilMs).toBe(201 * MINUTE_MS)
  })

  test("requests that are refused together are one complaint", () => {
    const cap = makeLearnedCap()
    for (let index = 0; index < 5; index++) cutCap(cap, 6 - index, index)
    expect(cap.holdUntilMs).toBe(MINUTE_MS + 4)
  })
})
