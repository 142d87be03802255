/** Keeps retries of the whole process a small share of its traffic, so that an outage does not multiply the load. */

import type { Clock } from "#core/clock.ts"

/** A running budget. */
export type RetryBudget = {
  /** Counts a request that a client made. */
  readonly request: () => void
  /** True when one more retry fits the budget; counts it. */
  readonly tryRetry: () => boolean
}

/** Length of the window the share is measured over. */
const WINDOW_MS = 10_000
/** Retries that are always allowed in a window, so that a quiet gateway can still heal a request. */
const FLOOR = 10
const SHARE = 0.2

/** Makes a budget of 20 % of the requests of the last 10 to 20 seconds, and never less than 10 retries. */
export function makeRetryBudget(parts: { readonly clock: Clock }): RetryBudget {
  let windowStartMs = parts.clock()
  let requests = 0
  let retries = 0
  let previousRequests = 0

  function roll(): void {
    const nowMs = parts.clock()
    const elapsedMs = nowMs - windowStartMs
    if (elapsedMs < WINDOW_MS) return
    previousRequests = elapsedMs < 2 * WINDOW_MS ? requests : 0
    requests = 0
    retries = 0
    windowStartMs = nowMs
  }

  return {
    request: () => {
      roll()
      requests += 1
    },
    tryRetry: () => {
      roll()
      if (retries >= Math.max(FLOOR, SHARE * (requests + previousRequests))) return false
      retries += 1
      return true
    },
  }
}
