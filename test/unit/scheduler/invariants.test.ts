/** The random run in small, once as ever and once anew; `./dev bench random` makes it as long as one likes. */

import { expect, test } from "bun:test"

import { runRandomWorld } from "./random-run.ts"

const STEPS = 40_000
/** A fresh one stands in the name of its test, so that a failure can be repeated: `./dev bench random --seed N`. */
const FRESH_SEED = Math.floor(Math.random() * 2 ** 31)

test.each([1, FRESH_SEED])(
  "slots equal live attempts, picks are eligible and in order, blocks of one cause never end sooner (seed %d)",
  async seed => {
    const { picks, sampled, blocksSeen } = await runRandomWorld({ steps: STEPS, seed })
    // A run that picked nobody would have proven nothing.
    expect(picks).toBeGreaterThan(STEPS / 20)
    expect(sampled).toBeGreaterThan(STEPS / 2000)
    expect(blocksSeen).toBeGreaterThan(STEPS)
  },
  120_000,
)
