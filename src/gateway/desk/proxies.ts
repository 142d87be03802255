/** The operators' desk for proxies: listed, added, changed, checked, assigned, taken in and given out. */

import type { AccountPool } from "#accounts/account-pool.ts"
import type { Clock } from "#core/clock.ts"
import { proxyIdIn } from "#core/egress-names.ts"
import type { ProxyChecks } from "#gateway/egress/check-proxies.ts"
import type { KeptProxy, ProxyBook } from "#gateway/egress/proxy-book.ts"
import { type ProxyFormat, type WrittenProxies, writeProxyText } from "#gateway/egress/proxy-text.ts"
import type { OnProgress } from "#gateway/pool/operators.ts"

import { type AssignOrder, type AssignReport, assign, findProxy } from "./assign.ts"
import { importProxies, type ProxyImportReport } from "./import-proxies.ts"
import { changedFacts, keepProxy, newFacts, type ProxyChange } from "./proxy-facts.ts"
import { type AssignmentReport, type ProxyReport, reportAssignment, reportProxies } from "./proxy-report.ts"

/** A way out that the configuration names; not changed here. */
export type ConfiguredWay = { readonly url: string; readonly used_by: readonly string[] }

/** The desk. Names are ids or names of proxies; each function throws `not-found` for one that is none. */
export type ProxyDesk = {
  readonly list: () => readonly ProxyReport[]
  readonly configured: () => readonly ConfiguredWay[]
  /** When a list was last given out with passwords, RFC 3339. */
  readonly passwordsShownAt: () => string | null
  readonly show: (names: readonly string[]) => readonly ProxyReport[]
  /** Throws `invalid-request` for an address that cannot be used or is there already; nothing was added then. */
  readonly add: (wishes: readonly (ProxyChange & { readonly url: string })[]) => readonly ProxyReport[]
  /** The id of the proxy at this address, which is added if it is not there. Throws `invalid-request`. */
  readonly keep: (address: string) => string
  readonly change: (names: readonly string[], change: ProxyChange) => readonly ProxyReport[]
  /** Returns how many accounts wait now because they were assigned to them. */
  readonly remove: (names: readonly string[]) => { readonly removed: readonly string[]; readonly waiting: number }
  /** Tries proxies now; tells each. */
  readonly check: (
    names: readonly string[] | "all",
    onProgress: OnProgress,
    signal?: AbortSignal,
  ) => Promise<readonly ProxyReport[]>
  readonly assignments: () => readonly AssignmentReport[]
  readonly assign: (order: AssignOrder) => AssignReport
  readonly importText: (text: string, isDryRun: boolean) => ProxyImportReport
  readonly exportText: (format: ProxyFormat, passwords: "masked" | "shown") => WrittenProxies
}

/** What the desk works with. */
export type ProxyDeskParts = {
  readonly accounts: () => AccountPool
  readonly clock: Clock
  readonly book: ProxyBook
  readonly checks: Pick<ProxyChecks, "check">
  readonly configuredWays: () => readonly ConfiguredWay[]
  /** Gives accounts of the pool another proxy where theirs is gone. */
  readonly settle: () => void
  /** Told that passwords were given out, and how many. */
  readonly passwordsShown: (count: number) => void
  /** When they last were, RFC 3339. */
  readonly passwordsShownAt: () => string | null
}

/** Makes the desk. */
export function makeProxyDesk(parts: ProxyDeskParts): ProxyDesk {
  const { book, accounts } = parts
  const all = () => [...accounts().accounts(), ...accounts().archived()]
  const find = (names: readonly string[]): readonly KeptProxy[] => [
    ...new Set(names.map(name => findProxy(book, name))),
  ]

  function report(proxies: readonly KeptProxy[]): readonly ProxyReport[] {
    const counts = new Map<string, number>()
    for (const { id } of all()) {
      const choice = accounts().settingsOf(id).egress
      if (choice === undefined || choice.mode === "direct" || choice.proxy === undefined) continue
      counts.set(choice.proxy, (counts.get(choice.proxy) ?? 0) + 1)
    }
    return reportProxies(proxies, { book, accountsOf: id => counts.get(id) ?? 0 })
  }

  function again(proxies: readonly KeptProxy[]): readonly ProxyReport[] {
    return report(proxies.flatMap(({ id }) => book.get(id) ?? []))
  }

  return {
    list: () => report(book.list()),
    configured: parts.configuredWays,
    passwordsShownAt: parts.passwordsShownAt,
    show: names => report(find(names)),
    add: wishes => {
      const added = book.add(newFacts(wishes, book))
      parts.settle()
      return again(added)
    },
    keep: address => keepProxy(address, book),
    change: (names, change) => {
      const found = find(names)
      book.change(found.map(proxy => ({ id: proxy.id, facts: changedFacts(proxy, change, book) })))
      parts.settle()
      return again(found)
    },
    remove: names => {
      const found = find(names)
      const ids = new Set(found.map(({ id }) => id))
      book.remove([...ids])
      parts.settle()
      const waiting = all().filter(({ egress }) => ids.has(proxyIdIn(egress ?? "") ?? ""))
      return { removed: [...ids], waiting: waiting.length }
    },
    check: async (names, onProgress, signal) => {
      const found = names === "all" ? book.list() : find(names)
      let done = 0
      const checked = await parts.checks.check(
        found,
        proxy => {
          done += 1
          const [shown] = report([proxy])
          onProgress({ done, total: found.length, ...shown })
        },
        signal,
      )
      return report(checked)
    },
    assignments: () => all().map(account => reportAssignment(account, accounts().settingsOf(account.id).egress, book)),
    assign: order => assign(order, parts),
    importText: (text, isDryRun) => {
      const imported = importProxies(text, { book, isDryRun })
      if (!isDryRun) parts.settle()
      return imported
    },
    exportText: (format, passwords) => {
      const written = writeProxyText(book.list(), { format, passwords })
      if (passwords === "shown") parts.passwordsShown(written.count)
      return written
    },
  }
}
