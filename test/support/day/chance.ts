/** Random numbers that a seed brings back, in the shapes a day needs. */

import { makeRandom } from "../crash/random.ts"

/** A source of them. */
export type Chance = {
  /** In [0, 1). */
  readonly next: () => number
  readonly between: (least: number, most: number) => number
  /** A whole number from 0 up to but not including `limit`. */
  readonly below: (limit: number) => number
  readonly happens: (probability: number) => boolean
  /** Waiting time between events of a steady rate. */
  readonly exponential: (mean: number) => number
  /** Half lie below `median`; `spread` 0.5 is tame, 1 has a long tail. */
  readonly logNormal: (median: number, spread: number) => number
  readonly oneOf: <T>(values: readonly T[]) => T
}

/** Makes a source of its own for each purpose: what one uses up changes nothing for the others. */
export function makeChance(seed: number, purpose: string): Chance {
  const random = makeRandom(Number(Bun.hash.xxHash32(`${seed}/${purpose}`)))
  const next = () => random.between(0, 1)
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    next,
    between: random.between,
    below,
    happens: random.chance,
    exponential: mean => -Math.log(1 - next()) * mean,
    logNormal: (median, spread) => median * Math.exp(spread * normal(next)),
    oneOf: values => {
      const value = values[below(values.length)]
      if (value === undefined) throw new Error("nothing to choose from")
      return value
    },
  }
}

/** Box and Muller: https://en.wikipedia.org/wiki/Box%E2%80%93Muller_transform. */
function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
}
