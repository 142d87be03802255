/** A proxy and an assignment in the shapes of icebear0828/codex-proxy. */

import { GatewayError } from "#core/errors.ts"
import type { Desk } from "#gateway/desk/desk.ts"
import type { AssignmentReport, ProxyReport } from "#gateway/desk/proxy-report.ts"

/** What a check has shown, or null before the first. */
export function icebearHealth({ checked_at, exit_address, latency_ms, failure }: ProxyReport): object | null {
  if (checked_at === null) return null
  return { exitIp: exit_address, latencyMs: latency_ms ?? 0, lastChecked: checked_at, error: failure }
}

/** A proxy; its password is masked. */
export function icebearProxy(proxy: ProxyReport): object {
  const { id, name, url, enabled, state, created_at } = proxy
  const status = !enabled ? "disabled" : state === "down" ? "unreachable" : "active"
  return { id, name, url: url ?? "", status, health: icebearHealth(proxy), addedAt: created_at }
}

/** Finds a proxy by its id. Throws `not-found` in that system's words. */
export function findIcebearProxy(desk: Desk, id: string): ProxyReport {
  const found = desk.proxies.list().find(proxy => proxy.id === id)
  if (found !== undefined) return found
  throw new GatewayError("not-found", "Proxy not found", { code: "proxy_not_found" })
}

/** Its word for how an account goes out: `global`, `direct`, `auto` or a proxy's id. */
export function icebearProxyId({ mode, proxy }: Pick<AssignmentReport, "mode" | "proxy">): string {
  if (mode === "inherit") return "global"
  if (mode === "direct") return "direct"
  return mode === "pool" ? "auto" : (proxy ?? "unknown")
}

/** The same for people. */
export function icebearProxyName({ mode, proxy_name }: Pick<AssignmentReport, "mode" | "proxy_name">): string {
  if (mode === "inherit") return "Global Default"
  if (mode === "direct") return "Direct (No Proxy)"
  if (mode === "pool") return "Auto (Round-Robin)"
  return proxy_name ?? "Unknown Proxy"
}

/** Our word for a way out that is named in its words. Throws `invalid-request` for one that is none. */
export function wayOfIcebear(desk: Desk, proxyId: string): string {
  if (proxyId === "global") return "inherit"
  if (proxyId === "direct") return "direct"
  if (proxyId === "auto") return "pool"
  if (desk.proxies.list().some(({ id }) => id === proxyId)) return proxyId
  throw new GatewayError(
    "invalid-request",
    `Invalid proxyId: "${proxyId}". Use 'global', 'direct', 'auto', or a valid proxy ID.`,
    { code: "invalid_proxy_id" },
  )
}
