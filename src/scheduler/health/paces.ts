/** How fast accounts begin to answer, and which of them lag behind the rest. Everything is O(1) in their number. */

import type { History } from "./history.ts"

/** The averages of all accounts, as a histogram. */
export type Paces = {
  /** An account's average has changed; undefined = it has, or had, none. */
  readonly moved: (fromMs: number | undefined, toMs: number | undefined) => void
  /** The lower median, within 9 %; undefined while fewer than two accounts are known. */
  readonly medianMs: () => number | undefined
}

/** Steps a doubling: fine enough for a factor of three. */
const STEPS = 4
/** Up to 2²⁰ ms, a good quarter of an hour. */
const BUCKETS = STEPS * 20
const MIN_ACCOUNTS = 2

/** An account lags when it takes this many times the median, */
const SLOW_FACTOR = 3
/** and this much longer: between milliseconds nobody notices a factor. */
const SLOW_BY_MS = 2_000
/** Answers in a row, whoever asked: one conversation that thinks for long makes no account slow among others. */
const SLOW_ANSWERS = 3

/** Makes an empty histogram. */
export function makePaces(): Paces {
  const counts = new Int32Array(BUCKETS)
  let known = 0
  const add = (ms: number | undefined, difference: 1 | -1) => {
    if (ms === undefined) return
    const bucket = bucketOf(ms)
    counts[bucket] = (counts[bucket] ?? 0) + difference
    known += difference
  }
  return {
    moved: (fromMs, toMs) => {
      add(fromMs, -1)
      add(toMs, 1)
    },
    medianMs: () => {
      if (known < MIN_ACCOUNTS) return undefined
      let left = Math.ceil(known / 2)
      let bucket = 0
      for (; bucket < BUCKETS - 1; bucket++) {
        left -= counts[bucket] ?? 0
        if (left <= 0) break
      }
      return 2 ** ((bucket + 0.5) / STEPS)
    },
  }
}

/** Notes whether an answer was slow beside what is usual in the pool. */
export function noteFirstOutput(history: History, firstOutputMs: number | undefined, paces: Paces): void {
  if (firstOutputMs === undefined) return
  history.slowStreak = isSlowBeside(firstOutputMs, paces.medianMs()) ? history.slowStreak + 1 : 0
}

/** True when the account's last answers were all slow, and so is its average. */
export function isLagging({ slowStreak, latencyMs }: History, paces: Paces): boolean {
  return slowStreak >= SLOW_ANSWERS && latencyMs !== undefined && isSlowBeside(latencyMs, paces.medianMs())
}

function isSlowBeside(ms: number, medianMs: number | undefined): boolean {
  return medianMs !== undefined && ms > SLOW_FACTOR * medianMs && ms > medianMs + SLOW_BY_MS
}

function bucketOf(ms: number): number {
  return Math.min(BUCKETS - 1, Math.max(0, Math.floor(STEPS * Math.log2(Math.max(1, ms)))))
}
