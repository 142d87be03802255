/** Proxies and who goes out through them, as operators see it; no password. */

import type { EgressChoice } from "#accounts/sources/egress-choice.ts"
import type { Account } from "#core/account.ts"
import { proxyEgressName } from "#core/egress-names.ts"
import { maskProxyUrl } from "#gateway/egress/proxy-address.ts"
import type { KeptProxy, ProxyBook } from "#gateway/egress/proxy-book.ts"
import { sharedExits } from "#gateway/egress/shared-exits.ts"
import type { EgressFault } from "#scheduler/types.ts"
import type { ProxyState } from "#store/proxies.ts"

/** One proxy. Times are RFC 3339. */
export type ProxyReport = {
  readonly id: string
  readonly name: string
  /** With the user, the password masked; null = its row cannot be read. */
  readonly url: string | null
  readonly region: string | null
  readonly enabled: boolean
  /** What checks have shown. */
  readonly state: ProxyState
  /** Why its accounts wait; null = they do not. */
  readonly fault: EgressFault | null
  readonly failure: string | null
  readonly fail_streak: number
  readonly down_since: string | null
  readonly exit_address: string | null
  /** Names of others that others see at the same address. */
  readonly shares_exit_with: readonly string[]
  readonly latency_ms: number | null
  readonly checked_at: string | null
  readonly max_concurrent: number
  /** Accounts assigned to it, the recycle bin included. */
  readonly accounts: number
  readonly created_at: string
}

/** How an account goes out. */
export type AssignmentReport = {
  readonly account: string
  readonly label: string
  readonly email: string | null
  readonly plan: string | null
  readonly mode: "inherit" | EgressChoice["mode"]
  readonly proxy: string | null
  readonly proxy_name: string | null
  /** Why it waits; null = it does not, as far as its way out goes. */
  readonly fault: EgressFault | null
}

function timeText(timeMs: number | undefined): string | null {
  return timeMs === undefined ? null : new Date(timeMs).toISOString()
}

/** Describes proxies. `accountsOf` counts who is assigned to one. */
export function reportProxies(
  proxies: readonly KeptProxy[],
  { book, accountsOf }: { readonly book: ProxyBook; readonly accountsOf: (id: string) => number },
): readonly ProxyReport[] {
  const shared = sharedExits(book.list())
  return proxies.map(proxy => {
    const { id, name, url, region, enabled, maxConcurrent, health, createdAtMs } = proxy
    const sharing = shared.get(health.exitAddress ?? "") ?? []
    return {
      id,
      name,
      url: url === undefined ? null : maskProxyUrl(url),
      region: region ?? null,
      enabled,
      state: health.state,
      fault: book.faultOf(proxyEgressName(id)) ?? null,
      failure: health.failure ?? null,
      fail_streak: health.failStreak,
      down_since: timeText(health.downSinceMs),
      exit_address: health.exitAddress ?? null,
      shares_exit_with: enabled ? sharing.filter(other => other.id !== id).map(other => other.name) : [],
      latency_ms: health.latencyMs ?? null,
      checked_at: timeText(health.checkedAtMs),
      max_concurrent: maxConcurrent,
      accounts: accountsOf(id),
      created_at: new Date(createdAtMs).toISOString(),
    }
  })
}

/** Describes how an account goes out. */
export function reportAssignment(
  { id, label, email, plan, egress }: Account,
  choice: EgressChoice | undefined,
  book: ProxyBook,
): AssignmentReport {
  const proxy = choice === undefined || choice.mode === "direct" ? undefined : choice.proxy
  return {
    account: id,
    label,
    email: email ?? null,
    plan: plan ?? null,
    mode: choice?.mode ?? "inherit",
    proxy: proxy ?? null,
    proxy_name: proxy === undefined ? null : (book.get(proxy)?.name ?? null),
    fault: egress === undefined ? null : (book.faultOf(egress) ?? null),
  }
}
