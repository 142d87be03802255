/** The counters of keys against plain sums over everything that ever happened, in long random runs. */

import { expect, test } from "bun:test"

import type { Amounts } from "#gateway/keys/amounts.ts"
import { makeGcra } from "#gateway/keys/gcra.ts"
import { makeKeyMeter, RING_SHAPES } from "#gateway/keys/key-meter.ts"

/** Numerical Recipes' generator: the same run every time. */
function makeRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}

const amounts = (random: () => number): Amounts => ({
  requests: 1,
  inputTokens: Math.floor(random() * 1_000),
  outputTokens: Math.floor(random() * 1_000),
  costMicroUsd: Math.floor(random() * 1_000),
})

test.each([1, 2, 3])("moving windows are the sum of their steps, and nothing stays held (run %d)", seed => {
  const random = makeRandom(seed)
  const meter = makeKeyMeter()
  const past: { readonly atMs: number; readonly used: Amounts }[] = []
  const held: Amounts[] = []
  let nowMs = 1_800_000_000_000
  for (let step = 0; step < 5_000; step++) {
    // From seconds to days, so that every window is filled and emptied many times.
    nowMs += Math.floor(10 ** (random() * (random() < 0.02 ? 9 : 5)))
    if (held.length < 20 && random() < 0.5) {
      const wanted = amounts(random)
      meter.reserve(wanted)
      held.push(wanted)
    }
    const ended = random() < 0.5 ? held.shift() : undefined
    if (ended !== undefined) {
      const used = amounts(random)
      meter.settle(ended, { ...used, isEstimate: false }, nowMs)
      past.push({ atMs: nowMs, used })
    }
    if (step % 50 !== 0) continue
    for (const [name, { bucketMs, buckets }] of Object.entries(RING_SHAPES)) {
      const oldest = Math.floor(nowMs / bucketMs) - buckets
      const inside = past.filter(({ atMs }) => Math.floor(atMs / bucketMs) >= oldest)
      const sum = (read: (used: Amounts) => number) => inside.reduce((total, { used }) => total + read(used), 0)
      expect(meter.rings[name as keyof typeof RING_SHAPES].sum(nowMs)).toEqual({
        requests: inside.length,
        inputTokens: sum(used => used.inputTokens),
        outputTokens: sum(used => used.outputTokens),
        costMicroUsd: sum(used => used.costMicroUsd),
      })
      // Never shorter than it says.
      const spanMs = bucketMs * buckets
      expect(inside.length).toBeGreaterThanOrEqual(past.filter(({ atMs }) => atMs > nowMs - spanMs).length)
    }
  }
  for (const left of held) meter.settle(left, { ...amounts(random), isEstimate: true }, nowMs)
  expect(meter.reserved()).toEqual({ requests: 0, inputTokens: 0, outputTokens: 0, costMicroUsd: 0 })
})

test("a rate lets in what has flowed back and never more, and says exactly when the next one fits", () => {
  const random = makeRandom(7)
  const gcra = makeGcra()
  const perMinute = 30
  let nowMs = 0
  let admitted = 0
  for (let step = 0; step < 20_000; step++) {
    nowMs += random() * 3_000
    const waitMs = gcra.waitMs(1, perMinute, nowMs)
    if (waitMs > 0) {
      expect(gcra.waitMs(1, perMinute, nowMs + waitMs - 0.01)).toBeGreaterThan(0)
      expect(gcra.waitMs(1, perMinute, nowMs + waitMs)).toBe(0)
      continue
    }
    gcra.take(1, perMinute, nowMs)
    admitted += 1
    expect(admitted).toBeLessThanOrEqual(perMinute + (nowMs * perMinute) / 60_000 + 1e-6)
  }
  expect(admitted).toBeGreaterThan((nowMs * perMinute) / 60_000 - 1)
})
