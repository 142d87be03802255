/** Counts since the start, for the statistics endpoint: in total and for each account. */

import type { AccountId } from "#core/ids.ts"
import type { Outcome } from "#core/outcome.ts"

/** Sums since the start of the process. Cancelled requests count as requests, not as errors. */
export type Counts = {
  readonly requests: number
  readonly errors: number
  readonly cancelled: number
  /** Attempts beyond the first. An account is charged those of the requests it ended. */
  readonly retries: number
  readonly inputTokens: number
  readonly inputCachedTokens: number
  readonly outputTokens: number
  readonly reasoningTokens: number
  /** When the last request ended, milliseconds since the epoch; undefined before the first. */
  readonly lastUsedAtMs: number | undefined
}

/** A copy of all counts; an account that has served nothing yet is absent. */
export type CountersSnapshot = { readonly total: Counts; readonly accounts: ReadonlyMap<AccountId, Counts> }

/** The counters. */
export type Counters = {
  /** Adds one settled request. */
  readonly recordOutcome: (outcome: Outcome) => void
  readonly snapshot: () => CountersSnapshot
  /** Drops the counts of an account that was removed. */
  readonly forget: (account: AccountId) => void
}

/** Makes counters that all stand at zero. */
export function makeCounters(): Counters {
  let total = ZERO
  const accounts = new Map<AccountId, Counts>()
  return {
    recordOutcome: outcome => {
      total = add(total, outcome)
      if (outcome.account !== undefined) {
        accounts.set(outcome.account, add(accounts.get(outcome.account) ?? ZERO, outcome))
      }
    },
    snapshot: () => ({ total, accounts: new Map(accounts) }),
    forget: account => {
      accounts.delete(account)
    },
  }
}

const ZERO: Counts = {
  requests: 0,
  errors: 0,
  cancelled: 0,
  retries: 0,
  inputTokens: 0,
  inputCachedTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  lastUsedAtMs: undefined,
}

function add(counts: Counts, outcome: Outcome): Counts {
  const { usage, error } = outcome
  const isCancelled = error?.kind === "cancelled"
  const endedAtMs = outcome.startedAtMs + outcome.totalMs
  return {
    requests: counts.requests + 1,
    errors: counts.errors + (error !== undefined && !isCancelled ? 1 : 0),
    cancelled: counts.cancelled + (isCancelled ? 1 : 0),
    retries: counts.retries + Math.max(0, outcome.attempts - 1),
    inputTokens: counts.inputTokens + (usage?.inputTokens ?? 0),
    inputCachedTokens: counts.inputCachedTokens + (usage?.inputCachedTokens ?? 0),
    outputTokens: counts.outputTokens + (usage?.outputTokens ?? 0),
    reasoningTokens: counts.reasoningTokens + (usage?.reasoningTokens ?? 0),
    lastUsedAtMs: Math.max(counts.lastUsedAtMs ?? 0, endedAtMs),
  }
}
