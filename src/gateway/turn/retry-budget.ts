/** Keeps retries of the whole process a small share of its traffic, so that an outage does not multiply the load. */

import type { Clock } from "#core/clock.ts"

/** A running budget. */
export type RetryBudget = {
  /** Counts a request that a client made. */
  readonly request: () => void
  /** True when one more retry fits the budget; counts it. */
  readonly tryRetry: () => boolean
}

/** The share is measured over this many seconds, the present one included. */
const WINDOW_SEC = 10
/** Retries that are always allowed in a window, so that a quiet gateway can still heal a request. */
const FLOOR = 10
const SHARE = 0.2

/** Makes a budget of 20 % of the requests of the last 10 seconds, and never less than 10 retries. */
export function makeRetryBudget({ clock }: { readonly clock: Clock }): RetryBudget {
  const requests = makeSlidingCount()
  const retries = makeSlidingCount()
  const nowSec = () => Math.floor(clock() / 1000)

  return {
    request: () => requests.add(nowSec()),
    tryRetry: () => {
      const sec = nowSec()
      if (retries.total(sec) >= Math.max(FLOOR, SHARE * requests.total(sec))) return false
      retries.add(sec)
      return true
    },
  }
}

/** Counts by second over the window; what is older falls out. */
function makeSlidingCount() {
  const slots = new Float64Array(WINDOW_SEC)
  let headSec = 0
  let total = 0

  function advance(sec: number): void {
    for (let each = Math.max(headSec + 1, sec - WINDOW_SEC + 1); each <= sec; each++) {
      total -= slots[each % WINDOW_SEC] ?? 0
      slots[each % WINDOW_SEC] = 0
    }
    headSec = Math.max(headSec, sec)
  }

  return {
    /** A clock that was put back counts into its last second. */
    add: (sec: number): void => {
      advance(sec)
      const slot = headSec % WINDOW_SEC
      slots[slot] = (slots[slot] ?? 0) + 1
      total += 1
    },
    total: (sec: number): number => {
      advance(sec)
      return total
    },
  }
}
