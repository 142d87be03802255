/** Accounts that belong to the proxy pool: each keeps the proxy it got, and gets another only when that one is gone for good. */

import type { AccountPool } from "#accounts/account-pool.ts"
import type { EgressChoice } from "#accounts/sources/egress-choice.ts"
import type { Clock } from "#core/clock.ts"
import { proxyEgressName } from "#core/egress-names.ts"
import type { AccountId } from "#core/ids.ts"

import { chooseProxy } from "./choose-proxy.ts"
import type { ProxyBook } from "./proxy-book.ts"
import { isProvenDown } from "./proxy-health.ts"

/** What deciding needs. */
export type PoolMembersParts = {
  readonly book: Pick<ProxyBook, "list" | "get" | "faultOf">
  readonly accounts: () => Pick<AccountPool, "accounts" | "archived" | "settingsOf" | "changeSettings">
  readonly clock: Clock
}

/** An account of the pool that got its first proxy, or another one. */
export type PoolMove = { readonly account: AccountId; readonly from: string | undefined; readonly to: string }

/** Tells the proxy an account of the pool goes out through: the one it has, while that stands. Undefined = there is none. */
export type PoolChooser = (account: AccountId, present: string | undefined) => string | undefined

/** Makes the chooser for one moment: there may be far more accounts than proxies, so each proxy is judged once. */
export function makePoolChooser(parts: Omit<PoolMembersParts, "accounts">): PoolChooser {
  const { book } = parts
  const proxies = book.list()
  const usable = proxies.map(({ id }) => id).filter(id => book.faultOf(proxyEgressName(id)) === undefined)
  const staying = new Set(proxies.map(({ id }) => id).filter(id => mayStay(id, parts)))
  return (account, present) =>
    present !== undefined && staying.has(present) ? present : (chooseProxy(account, usable) ?? present)
}

/** A proxy that is down is waited for; only half an hour without an answer, or an operator's order, sends its accounts elsewhere. */
function mayStay(id: string, { book, clock }: Omit<PoolMembersParts, "accounts">): boolean {
  const fault = book.faultOf(proxyEgressName(id))
  if (fault === undefined) return true
  const health = book.get(id)?.health
  return fault === "proxy-down" && health !== undefined && !isProvenDown(health, clock())
}

/** Gives a proxy to every account of the pool that has none, or none that will do. Throws the store's error. */
export function settlePoolMembers(parts: PoolMembersParts): readonly PoolMove[] {
  const accounts = parts.accounts()
  const choose = makePoolChooser(parts)
  const moves = new Map<AccountId, PoolMove>()
  for (const { id } of [...accounts.accounts(), ...accounts.archived()]) {
    const choice = accounts.settingsOf(id).egress
    if (choice?.mode !== "pool") continue
    const to = choose(id, choice.proxy)
    if (to !== undefined && to !== choice.proxy) moves.set(id, { account: id, from: choice.proxy, to })
  }
  if (moves.size > 0) accounts.changeSettings([...moves.keys()], id => ({ egress: poolChoice(moves.get(id)?.to) }))
  return [...moves.values()]
}

/** The choice of an account of the pool. */
export function poolChoice(proxy: string | undefined): EgressChoice {
  return proxy === undefined ? { mode: "pool" } : { mode: "pool", proxy }
}
