/** Random numbers that a seed brings back. */

/** A source of them. */
export type Random = {
  /** A number from `least` up to `most`. */
  readonly between: (least: number, most: number) => number
  /** True with this probability. */
  readonly chance: (probability: number) => boolean
}

/** Makes a source: mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c. */
export function makeRandom(seed: number): Random {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { between: (least, most) => least + next() * (most - least), chance: probability => next() < probability }
}
