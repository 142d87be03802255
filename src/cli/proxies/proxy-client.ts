/** The proxies of the operators' surface as functions. */

import type { AdminClient } from "#cli/admin/admin-client.ts"
import type { AssignReport } from "#gateway/desk/assign.ts"
import type { ProxyImportReport } from "#gateway/desk/import-proxies.ts"
import type { ConfiguredWay } from "#gateway/desk/proxies.ts"
import type { AssignmentReport, ProxyReport } from "#gateway/desk/proxy-report.ts"
import type { WrittenProxies } from "#gateway/egress/proxy-text.ts"

const ROOT = "/api/admin/proxies"

/** A list with what the configuration names beside it. */
export type ProxyList = {
  readonly proxies: readonly ProxyReport[]
  readonly configured: readonly ConfiguredWay[]
  /** When a list was last given out with passwords, RFC 3339. */
  readonly passwords_exported_at: string | null
}

/** A proxy as it is added. */
export type NewProxy = {
  readonly url: string
  readonly name?: string
  readonly region?: string
  readonly max_concurrent?: number
}

/** An order as the surface takes it. */
export type AssignWish = {
  readonly accounts: readonly string[] | "all"
  readonly rule: Readonly<Record<string, string>>
  readonly to: readonly string[]
  readonly dry_run: boolean
}

type Proxies = { readonly proxies: readonly ProxyReport[] }

/** Makes the functions over an open client. */
export function makeProxyClient({ ask, follow }: Pick<AdminClient, "ask" | "follow">) {
  const post = <Answer>(path: string, order: object, member: string) =>
    ask<Answer>({ method: "POST", path: `${ROOT}${path}`, body: JSON.stringify(order) }, member)
  return {
    list: () => ask<ProxyList>({ method: "GET", path: ROOT }, "proxies"),
    assignments: () =>
      ask<{ readonly assignments: readonly AssignmentReport[] }>(
        { method: "GET", path: `${ROOT}/assignments` },
        "assignments",
      ),
    add: (proxy: NewProxy) => post<Proxies>("", proxy, "proxies"),
    set: (action: "enable" | "disable", ids: readonly string[]) => post<Proxies>("/batch", { action, ids }, "proxies"),
    remove: (ids: readonly string[]) =>
      post<{ readonly removed: readonly string[]; readonly waiting: number }>(
        "/batch",
        { action: "delete", ids, confirm: true },
        "removed",
      ),
    check: (ids: readonly string[] | "all", onStep: (step: ProxyReport & { done: number; total: number }) => void) =>
      follow<Proxies, ProxyReport & { done: number; total: number }>(
        { path: `${ROOT}/check`, body: JSON.stringify({ ids }) },
        "proxies",
        onStep,
      ),
    assign: (wish: AssignWish) => post<AssignReport>("/assign", wish, "changes"),
    import: (text: string, isDryRun: boolean) =>
      post<ProxyImportReport>(`/import?dry_run=${isDryRun}`, { text }, "results"),
    export: (format: string, passwords: "masked" | "shown") =>
      post<WrittenProxies>("/export", { format, passwords }, "text"),
  }
}
