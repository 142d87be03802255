/** Notices that accounts which were to go out by different proxies are seen at one address. */

import type { AccountPool } from "#accounts/account-pool.ts"

import type { KeptProxy, ProxyBook } from "./proxy-book.ts"

/** What watching needs. */
export type ExitWatchParts = {
  readonly book: Pick<ProxyBook, "list">
  readonly accounts: () => Pick<AccountPool, "accounts" | "settingsOf">
  readonly warn: (fields: object, message: string) => void
}

/** Proxies that others see at one address, by that address; only where there are several. Disabled ones do not count. */
export function sharedExits(proxies: readonly KeptProxy[]): ReadonlyMap<string, readonly KeptProxy[]> {
  const known = proxies.filter(({ enabled, health }) => enabled && health.exitAddress !== undefined)
  const byExit = Map.groupBy(known, ({ health }) => health.exitAddress ?? "")
  return new Map([...byExit].filter(([, sharing]) => sharing.length > 1))
}

/** Makes the function that looks; it warns of each set of proxies once, and again when the set has changed. */
export function makeExitWatch({ book, accounts, warn }: ExitWatchParts): () => void {
  const warned = new Set<string>()
  return () => {
    const shared = sharedExits(book.list())
    const inUse = shared.size === 0 ? new Set<string>() : proxiesInUse(accounts())
    const present = new Set<string>()
    for (const [exit, proxies] of shared) {
      const used = proxies.filter(({ id }) => inUse.has(id))
      if (used.length < 2) continue
      const key = [exit, ...used.map(({ id }) => id)].join(" ")
      present.add(key)
      if (warned.has(key)) continue
      warn(
        { exitAddress: exit, proxies: used.map(({ name }) => name) },
        "accounts of different proxies are seen at one address",
      )
    }
    warned.clear()
    for (const key of present) warned.add(key)
  }
}

function proxiesInUse(accounts: ReturnType<ExitWatchParts["accounts"]>): ReadonlySet<string> {
  const used = new Set<string>()
  for (const { id } of accounts.accounts()) {
    const choice = accounts.settingsOf(id).egress
    if (choice !== undefined && choice.mode !== "direct" && choice.proxy !== undefined) used.add(choice.proxy)
  }
  return used
}
