/**
 * A long random run that keeps its own books. `INVARIANT_STEPS=10000000 bun test test/unit/scheduler/invariants.test.ts`
 * makes it as long as one likes; `INVARIANT_SEED` repeats a run.
 */

import { expect, test } from "bun:test"

import { RandomWorld } from "./random-world.ts"

const STEPS = Number(process.env["INVARIANT_STEPS"] ?? 60_000)
const SEED = Number(process.env["INVARIANT_SEED"] ?? Math.floor(Math.random() * 2 ** 31))
/** Steps between two looks at everything; what one step can break is looked at after each. */
const CHECK_EVERY = 50

test("slots equal live attempts, picks are eligible and in order, blocks of one cause never end sooner", async () => {
  const world = new RandomWorld(SEED)
  for (let step = 0; step < STEPS; step++) {
    try {
      await world.step()
      if (step % CHECK_EVERY === 0) world.check()
    } catch (cause) {
      throw new Error(`seed ${SEED}, step ${step}: ${cause instanceof Error ? cause.message : cause}`, { cause })
    }
  }
  // A run that picked nobody would have proven nothing.
  expect(world.picks).toBeGreaterThan(STEPS / 20)
  expect(world.sampled).toBeGreaterThan(STEPS / 2000)
  await world.end()
  expect(world.harness.scheduler.counts()).toMatchObject({ total: 0, leases: 0, waiting: 0 })
  world.harness.time.advance(90_000_000)
  expect(world.harness.time.waiting()).toEqual([])
}, 3_600_000)
