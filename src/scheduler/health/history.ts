/** What an account's attempts have come to, in the few numbers that its health is judged by. */

/** How an attempt failed, as far as the account's health is concerned. */
export type HealthFailure = "auth" | "rate-limit" | "timeout" | "server" | "other"

/** Results that count towards the rate of success. */
const RESULTS = 20
const RESULTS_MASK = 2 ** RESULTS - 1
/** Weight of the newest answer in the average of latencies. */
const LATENCY_WEIGHT = 0.2

/** The numbers of one account. Times in milliseconds since the epoch, −Infinity = never. */
export type History = {
  readonly failedAtMs: Record<HealthFailure, number>
  /** The newest attempt's failure; undefined after a success. */
  newest: HealthFailure | undefined
  failureStreak: number
  successStreak: number
  /** Requests served in all. */
  served: number
  /** The last 20 results, newest in the lowest bit, 1 = success. */
  results: number
  resultCount: number
  /** Weighted average time to the first output; undefined before the first. */
  latencyMs: number | undefined
  /** Answers in a row that began much later than is usual in the pool. */
  slowStreak: number
  /** Rises with every attempt that is written down or taken back. */
  changes: number
  /** What `changes` was when this was taken to be kept. */
  takenChanges: number
}

/** Makes the history of an account that has served nothing. */
export function makeHistory(): History {
  const never = Number.NEGATIVE_INFINITY
  return {
    failedAtMs: { auth: never, "rate-limit": never, timeout: never, server: never, other: never },
    newest: undefined,
    failureStreak: 0,
    successStreak: 0,
    served: 0,
    results: 0,
    resultCount: 0,
    latencyMs: undefined,
    slowStreak: 0,
    changes: 0,
    takenChanges: 0,
  }
}

/** Writes down an attempt that went well; `firstOutputMs` is the time to its first output, when known. */
export function noteSuccess(history: History, firstOutputMs: number | undefined): void {
  history.changes += 1
  history.newest = undefined
  history.failureStreak = 0
  history.successStreak += 1
  history.served += 1
  noteResult(history, 1)
  if (firstOutputMs === undefined) return
  const before = history.latencyMs ?? firstOutputMs
  history.latencyMs = before + LATENCY_WEIGHT * (firstOutputMs - before)
}

/** Writes down an attempt that failed. */
export function noteFailure(history: History, failure: HealthFailure, nowMs: number): void {
  history.changes += 1
  history.newest = failure
  history.failedAtMs[failure] = nowMs
  history.failureStreak += 1
  history.successStreak = 0
  noteResult(history, 0)
}

/**
 * Takes back the last failure of a kind when it came at or after `sinceMs`: it turned out not to be the account's, or the
 * account is no longer what it was. Returns true when there was one.
 */
export function forgetFailure(history: History, failure: HealthFailure, sinceMs: number): boolean {
  if (history.failedAtMs[failure] < sinceMs) return false
  if (Number.isFinite(history.failedAtMs[failure])) history.changes += 1
  history.failedAtMs[failure] = Number.NEGATIVE_INFINITY
  if (history.newest === failure) {
    history.newest = undefined
    history.failureStreak = 0
  }
  return true
}

/** Share of successes among the last 20 results, 1 while there are fewer than five. */
export function successRate({ results, resultCount }: History): number {
  if (resultCount < MIN_RESULTS) return 1
  let successes = 0
  for (let bits = results; bits !== 0; bits &= bits - 1) successes += 1
  return successes / resultCount
}

/** Fewer say nothing about a rate. */
const MIN_RESULTS = 5

function noteResult(history: History, result: 0 | 1): void {
  history.results = ((history.results << 1) | result) & RESULTS_MASK
  history.resultCount = Math.min(RESULTS, history.resultCount + 1)
}
