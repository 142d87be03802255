/** What one request has tried so far; owned by the turn that makes the tries. */

import type { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"

/** Requests one client request may cause upstream. */
export const MAX_DISPATCHES = 4

/** The tries of one request. */
export type Tries = {
  dispatches: number
  readonly accounts: AccountId[]
  readonly excluded: Set<AccountId>
  readonly refreshed: Set<AccountId>
  sameAccountRetries: number
  stripped: boolean
  retriedEmpty: boolean
  prefer: AccountId | undefined
  /** What the last failed attempt came to. */
  lastError: GatewayError | undefined
}

/** Starts the book; `prefer` is the account that served the conversation last. */
export function startTries(prefer: AccountId | undefined): Tries {
  return {
    dispatches: 0,
    accounts: [],
    excluded: new Set(),
    refreshed: new Set(),
    sameAccountRetries: 0,
    stripped: false,
    retriedEmpty: false,
    prefer,
    lastError: undefined,
  }
}

/** Takes an account out for the rest of the request. */
export function exclude(tries: Tries, account: AccountId): void {
  tries.excluded.add(account)
  tries.prefer = undefined
}
