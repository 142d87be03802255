/**
 * Notices that many accounts fail alike: then the upstream or the way to it is at fault, and nothing that is written
 * about single accounts would be true.
 */

import { makeRecentAccounts, type RecentAccounts } from "./recent-accounts.ts"

/** Kinds of failure that many accounts may share. */
export type SharedFailure = "auth" | "refused" | "rate-limit" | "timeout" | "server" | "sealed-content"

/** An open breaker, for display. */
export type BreakerState = {
  readonly failure: SharedFailure
  /** Milliseconds since the epoch. */
  readonly sinceMs: number
  /** Accounts that failed alike when it opened. */
  readonly accounts: number
}

/** The breaker. Accounts are small integers, times milliseconds since the epoch. */
export type Breaker = {
  /** Notes a failed attempt. Returns true when its consequences for the account are to be withheld. */
  readonly failed: (account: number, failure: SharedFailure, nowMs: number) => boolean
  readonly succeeded: (account: number, startedAtMs: number, nowMs: number) => void
  /** An answer has begun: enough to close it, although it clears no account before it is whole. */
  readonly answered: (startedAtMs: number, nowMs: number) => void
  /** Undefined = closed. */
  readonly state: () => BreakerState | undefined
  /** 0 = the request may go; otherwise how long until the next one may. Counts the one it lets go. */
  readonly admit: (nowMs: number) => number
}

/** Parts of the breaker. */
export type BreakerParts = {
  /** Called when it opens: what was written for this failure since the moment was not the accounts' doing. */
  readonly opened: (state: BreakerState, runSinceMs: number) => void
}

/** Fewer accounts may well fail alike by chance. */
const MIN_ACCOUNTS = 5
/** Share of the accounts used in the last minute. */
const MIN_SHARE = 0.3
/** While anything has succeeded this recently, the pool still serves, and requests are not held back. */
const SERVING_MS = 60_000
const FIRST_BACK_OFF_MS = 1_000
const MAX_BACK_OFF_MS = 30_000

/** Failures of one kind since a success disproved the last ones. */
type Run = { readonly accounts: RecentAccounts; sinceMs: number }

/** Makes a closed breaker. */
export function makeBreaker(parts: BreakerParts): Breaker {
  const touched = makeRecentAccounts()
  const runs = new Map<SharedFailure, Run>()
  let lastSuccessAtMs = Number.NEGATIVE_INFINITY
  let state: BreakerState | undefined
  let backOffMs = FIRST_BACK_OFF_MS
  let nextAtMs = 0

  function runOf(failure: SharedFailure, nowMs: number): Run {
    const known = runs.get(failure)
    if (known !== undefined) {
      if (known.accounts.count(nowMs) === 0) known.sinceMs = nowMs
      return known
    }
    const run = { accounts: makeRecentAccounts(), sinceMs: nowMs }
    runs.set(failure, run)
    return run
  }

  function open(failure: SharedFailure, accounts: number, nowMs: number): BreakerState {
    const opened = { failure, sinceMs: nowMs, accounts }
    state = opened
    backOffMs = FIRST_BACK_OFF_MS
    nextAtMs = nowMs + backOffMs
    parts.opened(opened, runOf(failure, nowMs).sinceMs)
    return opened
  }

  function close(): void {
    state = undefined
    for (const run of runs.values()) run.accounts.clear()
  }

  return {
    failed: (account, failure, nowMs) => {
      touched.touch(account, nowMs)
      const run = runOf(failure, nowMs)
      run.accounts.touch(account, nowMs)
      if (state !== undefined) return true
      const count = run.accounts.count(nowMs)
      // A path that has never worked says nothing about the upstream: then it may well be the accounts.
      if (lastSuccessAtMs === Number.NEGATIVE_INFINITY) return false
      if (count < Math.max(MIN_ACCOUNTS, MIN_SHARE * touched.count(nowMs))) return false
      open(failure, count, nowMs)
      return true
    },
    succeeded: (account, startedAtMs, nowMs) => {
      touched.touch(account, nowMs)
      lastSuccessAtMs = nowMs
      if (state !== undefined) {
        // An answer that had begun before the trouble proves nothing about now.
        if (startedAtMs > state.sinceMs) close()
        return
      }
      for (const run of runs.values()) if (startedAtMs > run.sinceMs) run.accounts.clear()
    },
    answered: (startedAtMs, nowMs) => {
      if (state === undefined || startedAtMs <= state.sinceMs) return
      lastSuccessAtMs = nowMs
      close()
    },
    state: () => state,
    admit: nowMs => {
      if (state === undefined || nowMs - lastSuccessAtMs < SERVING_MS) return 0
      if (nowMs < nextAtMs) return nextAtMs - nowMs
      backOffMs = Math.min(MAX_BACK_OFF_MS, backOffMs * 2)
      nextAtMs = nowMs + backOffMs
      return 0
    },
  }
}
