/** Access and refresh tokens in circulation: who they speak for, and which are spent. */

import type { Clock } from "#core/clock.ts"
import type { Ids } from "#simulator/ids.ts"

import type { SimulatedAccount } from "./accounts.ts"
import { makeAccessToken, makeIdToken } from "./tokens.ts"

/** What the sign-in service hands out at once. */
export type TokenSet = {
  readonly accessToken: string
  readonly idToken: string
  readonly refreshToken: string
  readonly expiresAtSec: number
  readonly lifetimeSec: number
}

/** Why a token no longer holds. `expired` is also reached by time. */
export type AccessState = "live" | "expired" | "invalidated" | "revoked"

/** A refresh token may be used exactly once. */
export type RefreshState = "live" | "used" | "expired" | "invalidated"

type AccessRecord = { readonly name: string; readonly expiresAtSec: number; readonly state: AccessState }
type RefreshRecord = { readonly name: string; readonly state: RefreshState }

/** The token registry. */
export type Sessions = {
  /** Hands out a new set; earlier access tokens keep their state. */
  readonly issue: (account: SimulatedAccount) => TokenSet
  /** As {@link Sessions.issue}, but the refresh token stays the current one. */
  readonly issueAccessOnly: (account: SimulatedAccount) => TokenSet
  /** The last set handed out to the account, making one when there is none. */
  readonly current: (account: SimulatedAccount) => TokenSet
  readonly readAccess: (token: string) => { readonly name: string; readonly state: AccessState } | undefined
  readonly readRefresh: (token: string) => RefreshRecord | undefined
  /** Marks a refresh token as spent. */
  readonly consume: (token: string) => void
  /** Changes the state of every live access token of the account. */
  readonly markAccess: (name: string, state: AccessState) => void
  /** Changes the state of every live refresh token of the account. */
  readonly markRefresh: (name: string, state: RefreshState) => void
  /** By account name: the refresh tokens that still work. */
  readonly liveRefreshTokens: () => ReadonlyMap<string, readonly string[]>
  /** How many refresh tokens were exchanged for a successor. */
  readonly rotations: () => number
  /** Every token that was ever handed out, spent ones included. */
  readonly issued: () => readonly string[]
}

/** Makes an empty token registry. */
export function makeSessions(parts: { readonly clock: Clock; readonly ids: Ids }): Sessions {
  const access = new Map<string, AccessRecord>()
  const refresh = new Map<string, RefreshRecord>()
  const latest = new Map<string, TokenSet>()
  const idTokens: string[] = []
  let rotations = 0
  const nowSec = () => Math.floor(parts.clock() / 1000)
  const mint = (account: SimulatedAccount, refreshToken: string) => {
    const issuedAtSec = nowSec()
    const expiresAtSec = issuedAtSec + account.accessLifetimeSec
    const life = { issuedAtSec, expiresAtSec, tokenId: parts.ids.uuid() }
    const set = {
      accessToken: makeAccessToken(account, life),
      idToken: makeIdToken(account, { ...life, expiresAtSec: issuedAtSec + 3600 }),
      refreshToken,
      expiresAtSec,
      lifetimeSec: account.accessLifetimeSec,
    }
    access.set(set.accessToken, { name: account.name, expiresAtSec, state: "live" })
    refresh.set(refreshToken, { name: account.name, state: "live" })
    idTokens.push(set.idToken)
    latest.set(account.name, set)
    return set
  }
  const issue = (account: SimulatedAccount) => mint(account, `rt_${parts.ids.hex(48)}`)
  return {
    issue,
    issueAccessOnly: account => mint(account, latest.get(account.name)?.refreshToken ?? `rt_${parts.ids.hex(48)}`),
    current: account => latest.get(account.name) ?? issue(account),
    readAccess: token => {
      const record = access.get(token)
      if (record === undefined) return undefined
      const isOver = record.state === "live" && record.expiresAtSec <= nowSec()
      return { name: record.name, state: isOver ? "expired" : record.state }
    },
    readRefresh: token => refresh.get(token),
    consume: token => {
      const record = refresh.get(token)
      if (record === undefined) return
      refresh.set(token, { ...record, state: "used" })
      rotations += 1
    },
    markAccess: (name, state) => mark(access, name, state),
    markRefresh: (name, state) => mark(refresh, name, state),
    liveRefreshTokens: () => {
      const live = [...refresh].filter(([, { state }]) => state === "live")
      const byName = Map.groupBy(live, ([, { name }]) => name)
      return new Map([...byName].map(([name, entries]) => [name, entries.map(([token]) => token)]))
    },
    rotations: () => rotations,
    issued: () => [...access.keys(), ...refresh.keys(), ...idTokens],
  }
}

function mark<State extends string>(
  records: Map<string, { readonly name: string; readonly state: State | "live" }>,
  name: string,
  state: State,
): void {
  for (const [token, record] of records) {
    if (record.name === name && record.state === "live") records.set(token, { ...record, state })
  }
}
