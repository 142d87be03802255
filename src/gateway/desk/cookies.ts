/** Cookies of single accounts at the operators' desk: shown masked, put in, removed. */

import type { AccountPool } from "#accounts/account-pool.ts"
import type { Cookie } from "#accounts/cookies/cookie.ts"
import type { CookieBook } from "#accounts/cookies/cookie-book.ts"
import { readCookies } from "#accounts/cookies/read-cookies.ts"
import type { Account } from "#core/account.ts"
import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { Json } from "#core/json.ts"
import type { Pool } from "#gateway/pool/pool.ts"

import { findTargets } from "./targets.ts"

/** A cookie as operators see it. */
export type CookieReport = {
  readonly name: string
  /** Masked unless it was asked for. */
  readonly value: string
  readonly domain: string
  readonly host_only: boolean
  readonly path: string
  readonly secure: boolean
  readonly expires_at: string | null
}

/** The orders. All throw `not-found` for an account that does not exist. */
export type CookieDesk = {
  readonly list: (target: string, shown: "masked" | "in full") => readonly CookieReport[]
  /** Throws `invalid-request` for what is no cookie; nothing was changed then. */
  readonly put: (target: string, cookies: Json) => void
  /** Removes the cookies of that name, or all, and with the last one the jar. */
  readonly remove: (target: string, name: string | undefined) => void
}

/** What the orders are carried out with. */
export type CookieDeskParts = {
  readonly accounts: () => AccountPool
  readonly cookies: CookieBook
  readonly pool: Pick<Pool, "target">
  readonly clock: Clock
}

/** Enough to tell two apart, too little to use. */
function mask(value: string): string {
  return value.length < 16 ? "***" : `${value.slice(0, 3)}***`
}

function report(cookie: Cookie, shown: "masked" | "in full"): CookieReport {
  const { name, value, domain, hostOnly, path, secure, expiresAtMs } = cookie
  const expires_at = expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString()
  return {
    name,
    value: shown === "in full" ? value : mask(value),
    domain,
    host_only: hostOnly,
    path,
    secure,
    expires_at,
  }
}

/** Makes the orders. */
export function makeCookieDesk({ accounts, cookies, pool, clock }: CookieDeskParts): CookieDesk {
  function find(target: string): Account {
    const [account] = findTargets([target], accounts())
    if (account === undefined) throw new TypeError("one name finds one account or throws")
    return account
  }

  function upstreamOf(account: Account): URL {
    const target = pool.target(account.id)
    if (target !== undefined) return new URL(target.baseUrl)
    throw new GatewayError("invalid-request", `${account.id} is in the recycle bin.`, { hint: "Restore it first." })
  }

  return {
    list: (target, shown) => cookies.of(find(target).id).map(cookie => report(cookie, shown)),
    put: (target, wish) => {
      const account = find(target)
      cookies.put(account.id, readCookies(wish, { url: upstreamOf(account), nowMs: clock() }))
    },
    remove: (target, name) => cookies.remove(find(target).id, name),
  }
}
