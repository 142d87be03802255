/** The refresher's book: every account with what was tried and when it is due. */

import { refreshFingerprint } from "#accounts/fingerprint.ts"
import type { Account, Credential } from "#core/account.ts"
import type { Clock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"

import { refreshDueAtMs, type Unit } from "./refresh-schedule.ts"
import type { RefreshFailure } from "./refresh-types.ts"

/** One account's line. Replaced whole when anything changes. */
export type RefreshEntry = {
  readonly account: Account
  /** Fingerprint of the present refresh token; undefined = nothing to refresh with. */
  readonly fingerprint: string | undefined
  readonly dueAtMs: number | undefined
  /** Undecided failures in a row. */
  readonly failures: number
  /** Lost answers in a row: above 0 the token may be spent without our having its successor. */
  readonly lostAnswers: number
  /** When the first, unconfirmed permanent refusal came. */
  readonly refusedAtMs: number | undefined
  /** Before this moment requests get the last failure instead of a new exchange. */
  readonly notBeforeMs: number
  readonly lastFailure: RefreshFailure | undefined
}

/** The book. */
export type RefreshEntries = {
  /** See `Refresher.put`; a changed credential starts with a clean line. */
  readonly put: (account: Account) => RefreshEntry
  readonly update: (accountId: AccountId, change: Partial<RefreshEntry>) => void
  readonly remove: (accountId: AccountId) => void
  readonly get: (accountId: AccountId) => RefreshEntry | undefined
  readonly all: () => Iterable<RefreshEntry>
  /** Accounts may share a refresh token. */
  readonly withFingerprint: (fingerprint: string) => readonly RefreshEntry[]
}

/** Shortest time between a refresh and the next planned one, should the clocks disagree about the new token's life. */
const MIN_GAP_MS = 60_000

function fingerprintOf(credential: Credential): string | undefined {
  if (credential.type === "api-key" || credential.refreshToken === undefined) return undefined
  return refreshFingerprint(credential.refreshToken)
}

function secretOf(credential: Credential): string {
  return credential.type === "api-key" ? credential.apiKey : credential.accessToken
}

/** True when both prove the account with the same secrets. */
function isSameCredential(left: Credential, right: Credential): boolean {
  return secretOf(left) === secretOf(right) && fingerprintOf(left) === fingerprintOf(right)
}

/** Parts of the book. `jitter` returns a new random share on every call. */
export type RefreshEntriesParts = {
  readonly clock: Clock
  readonly jitter: () => Unit
  /** Age at which a token without a stated expiry is refreshed. */
  readonly unknownLifetimeMs?: number | undefined
  /** Fingerprints of exchanges that an earlier run began and did not finish. */
  readonly leftOver: ReadonlySet<string>
}

/** Makes an empty book. */
export function makeRefreshEntries({
  clock,
  jitter,
  leftOver,
  unknownLifetimeMs,
}: RefreshEntriesParts): RefreshEntries {
  const entries = new Map<AccountId, RefreshEntry>()

  const cleanEntry = (account: Account, isRenewal: boolean): RefreshEntry => {
    const fingerprint = fingerprintOf(account.credential)
    const nowMs = clock()
    const plannedMs = refreshDueAtMs(account.credential, nowMs, jitter(), unknownLifetimeMs)
    const isUncertain = fingerprint !== undefined && leftOver.has(fingerprint)
    const dueAtMs = isRenewal && plannedMs !== undefined ? Math.max(plannedMs, nowMs + MIN_GAP_MS) : plannedMs
    return {
      account,
      fingerprint,
      dueAtMs: isUncertain ? nowMs : dueAtMs,
      failures: 0,
      lostAnswers: isUncertain ? 1 : 0,
      refusedAtMs: undefined,
      notBeforeMs: 0,
      lastFailure: undefined,
    }
  }
  const put = (account: Account): RefreshEntry => {
    const present = entries.get(account.id)
    const keepsCredential =
      present !== undefined && account.credential.generation < present.account.credential.generation
    const next = keepsCredential ? { ...account, credential: present.account.credential } : account
    const isUnchanged = present !== undefined && isSameCredential(present.account.credential, next.credential)
    const entry = isUnchanged ? { ...present, account: next } : cleanEntry(next, present !== undefined)
    entries.set(account.id, entry)
    return entry
  }

  return {
    put,
    update: (accountId, change) => {
      const entry = entries.get(accountId)
      if (entry !== undefined) entries.set(accountId, { ...entry, ...change })
    },
    remove: accountId => {
      entries.delete(accountId)
    },
    get: accountId => entries.get(accountId),
    all: () => entries.values(),
    withFingerprint: fingerprint => [...entries.values()].filter(entry => entry.fingerprint === fingerprint),
  }
}
