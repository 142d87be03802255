/** A long random run of the scheduler beside a bookkeeper: `./dev bench random` for millions of steps, a test for thousands. */

import { RandomWorld } from "./random-world.ts"

/** How long, and which run. */
export type RandomRun = {
  readonly steps: number
  /** The same seed gives the same run. */
  readonly seed: number
  /** Told after every `everySteps` steps. */
  readonly progress?: { readonly everySteps: number; readonly tell: (step: number) => void }
}

/** What a run that broke no promise has seen. */
export type RandomRunResult = {
  readonly picks: number
  /** Picks that were compared with a search through all accounts. */
  readonly sampled: number
  /** Blocks that were shown with an end, counted once a step. */
  readonly blocksSeen: number
}

/**
 * Runs it. After every step the slots are compared with the live attempts, each pick with what the bookkeeper knows, and
 * all blocks with their ends of the step before. Rejects with seed and step when a promise is broken, or when something
 * is left over at the end.
 */
export async function runRandomWorld({ steps, seed, progress }: RandomRun): Promise<RandomRunResult> {
  const world = new RandomWorld(seed)
  for (let step = 0; step < steps; step++) {
    try {
      await world.step()
      world.check()
    } catch (cause) {
      throw new Error(`seed ${seed}, step ${step}: ${cause instanceof Error ? cause.message : cause}`, { cause })
    }
    if (progress !== undefined && (step + 1) % progress.everySteps === 0) progress.tell(step + 1)
  }
  const { picks, sampled, blocksSeen } = world
  await world.end()
  return { picks, sampled, blocksSeen }
}
