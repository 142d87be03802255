/** What one request has tried so far; owned by the turn that makes the tries. */

import type { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import type { Home } from "#gateway/affinity/home.ts"
import type { Trace } from "#gateway/affinity/trace.ts"

/** Requests one client request may cause upstream. */
export const MAX_DISPATCHES = 4

/** The tries of one request. */
export type Tries = {
  dispatches: number
  readonly accounts: AccountId[]
  readonly excluded: Set<AccountId>
  readonly refreshed: Set<AccountId>
  /** Accounts that had too much to do: out while another one can serve, and asked again when none can. */
  readonly requeued: Set<AccountId>
  sameAccountRetries: number
  stripped: boolean
  retriedEmpty: boolean
  prefer: AccountId | undefined
  /** Where the request belongs; gone once it is served elsewhere. */
  home: Home | undefined
  /** Plans whose accounts were refused the model. */
  readonly plansWithout: Set<string>
  /** Accounts that will be out for long: a conversation of theirs moves to whoever serves instead. */
  readonly lost: Set<AccountId>
  /** Whose encrypted content the request carries. */
  readonly trace: Trace
  /** What the last failed attempt came to. */
  lastError: GatewayError | undefined
}

/** Starts the book. */
export function startTries(home: Home | undefined, trace: Trace): Tries {
  return {
    dispatches: 0,
    accounts: [],
    excluded: new Set(),
    refreshed: new Set(),
    requeued: new Set(),
    plansWithout: new Set(),
    sameAccountRetries: 0,
    stripped: false,
    retriedEmpty: false,
    prefer: home?.account,
    home,
    lost: new Set(),
    trace,
    lastError: undefined,
  }
}

/** Takes an account out for the rest of the request. */
export function exclude(tries: Tries, account: AccountId): void {
  tries.excluded.add(account)
  tries.prefer = undefined
}
