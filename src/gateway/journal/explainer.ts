/** Decides which of the scheduler's decisions are explained, so that explaining never becomes what the processor does. */

import type { Clock } from "#core/clock.ts"
import type { Home } from "#gateway/affinity/home.ts"
import type { Demand } from "#scheduler/types.ts"

/** Which requests are explained: none, those in trouble, or all. */
export type ExplainWish = "never" | "trouble" | "always"

/** Explains where that is wanted; `explained` gets the reasons as plain JSON. */
export type Explainer = {
  /** Returns what a demand says about explanations; undefined = none is wanted. `isRetry` = an attempt has failed before. */
  readonly demanding: (isRetry: boolean, explained: (why: object) => void) => Demand["explain"]
  /** A request got the account it belongs to, without anybody having been compared. */
  readonly atHome: (home: Home, explained: (why: object) => void) => void
}

/** What deciding needs. */
export type ExplainerParts = {
  readonly clock: Clock
  readonly wish: () => ExplainWish
  /** Accounts in the pool: an explanation walks over all of them. */
  readonly accounts: () => number
}

/**
 * Accounts that may be walked over in a second on behalf of requests in trouble. At about a microsecond each (`./dev bench
 * log`) this is one percent of a core: in an outage of a large pool a few of the failures are explained, and they are all alike.
 */
const WALKED_A_SECOND = 10_000
/** What writing an explanation down costs besides the walk, in accounts. */
const BASE_PRICE = 70

/** Makes the decision. */
export function makeExplainer({ clock, wish, accounts }: ExplainerParts): Explainer {
  let allowance = WALKED_A_SECOND
  let countedAtMs = 0

  /** A pool larger than a second's allowance is walked over once the allowance is full, and then pays for it. */
  function mayWalk(): boolean {
    const nowMs = clock()
    const earned = ((nowMs - countedAtMs) * WALKED_A_SECOND) / 1000
    allowance = Math.min(WALKED_A_SECOND, allowance + Math.max(0, earned))
    countedAtMs = nowMs
    const price = BASE_PRICE + accounts()
    if (allowance < Math.min(price, WALKED_A_SECOND)) return false
    allowance -= price
    return true
  }

  return {
    demanding: (isRetry, explained) => {
      const wanted = wish()
      if (wanted === "never") return undefined
      return (decision, write) => {
        if (wanted === "trouble" && decision !== "refusal" && !isRetry) return
        if (wanted === "always" || mayWalk()) explained(write())
      }
    },
    atHome: ({ account, hold }, explained) => {
      if (wish() === "always") explained({ atMs: clock(), decision: "lease", account, by: "conversation", hold })
    },
  }
}
