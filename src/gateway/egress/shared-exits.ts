/** Notices that accounts which were to go out by different proxies are seen at one address. */

import type { AccountPool } from "#accounts/account-pool.ts"

import type { KeptProxy, ProxyBook } from "./proxy-book.ts"

/** What watching needs. */
export type ExitWatchParts = {
  readonly book: Pick<ProxyBook, "list">
  readonly accounts: () => Pick<AccountPool, "accounts" | "settingsOf">
  /** Where accounts come out that have no way of their own; undefined = not known. */
  readonly standardExit: () => string | undefined
  readonly warn: (fields: object, message: string) => void
}

/** Proxies that others see at one address, by that address; only where there are several. Disabled ones do not count. */
export function sharedExits(proxies: readonly KeptProxy[]): ReadonlyMap<string, readonly KeptProxy[]> {
  const known = proxies.filter(({ enabled, health }) => enabled && health.exitAddress !== undefined)
  const byExit = Map.groupBy(known, ({ health }) => health.exitAddress ?? "")
  return new Map([...byExit].filter(([, sharing]) => sharing.length > 1))
}

const CONFIGURED = "the configured way"

/** Makes the function that looks; it warns of each set of ways once, and again when the set has changed. */
export function makeExitWatch(parts: ExitWatchParts): () => void {
  const warned = new Set<string>()
  return () => {
    const present = new Map(
      sharedInUse(parts).map(shared => [`${shared.exitAddress} ${shared.ways.join(",")}`, shared]),
    )
    for (const [key, shared] of present) {
      if (!warned.has(key)) parts.warn(shared, "accounts of different ways out are seen at one address")
    }
    warned.clear()
    for (const key of present.keys()) warned.add(key)
  }
}

type SharedExit = { readonly exitAddress: string; readonly ways: readonly string[] }

/** Addresses at which accounts of several ways are seen. */
function sharedInUse({ book, accounts, standardExit }: ExitWatchParts): readonly SharedExit[] {
  const exits = new Map<string, string[]>()
  const { proxies, hasStandard } = waysInUse(accounts())
  const note = (exit: string | undefined, way: string): void => {
    if (exit !== undefined) exits.set(exit, [...(exits.get(exit) ?? []), way])
  }
  for (const { id, name, enabled, health } of book.list()) {
    if (enabled && proxies.has(id)) note(health.exitAddress, name)
  }
  if (hasStandard) note(standardExit(), CONFIGURED)
  return [...exits].flatMap(([exitAddress, ways]) => (ways.length > 1 ? [{ exitAddress, ways }] : []))
}

function waysInUse(accounts: ReturnType<ExitWatchParts["accounts"]>) {
  const proxies = new Set<string>()
  let hasStandard = false
  for (const { id, egress } of accounts.accounts()) {
    const choice = accounts.settingsOf(id).egress
    if (choice !== undefined && choice.mode !== "direct" && choice.proxy !== undefined) proxies.add(choice.proxy)
    else if (egress === undefined) hasStandard = true
  }
  return { proxies, hasStandard }
}
