/** The proxy routes that james-6-23/codex2api has beside ours, and its shape of a proxy. */

import { Type } from "@sinclair/typebox"
import { Elysia } from "elysia"

import { GatewayError } from "#core/errors.ts"
import type { ProxyReport } from "#gateway/desk/proxy-report.ts"
import { type AdminParts, adminRoute, readOrder } from "#http/admin/admin-route.ts"

const IDS = Type.Object({ ids: Type.Array(Type.String(), { minItems: 1, maxItems: 10_000 }) })
/** `url` and `lang` may be there as well: what is tried is the proxy as it is kept. */
const TEST = Type.Object({ id: Type.String() })

/** Returns the routes as one Elysia plugin. */
export function codex2apiProxyRoutes(parts: AdminParts) {
  const { proxies } = parts.desk
  const removed = (names: readonly string[]) => (names.length === 0 ? 0 : proxies.remove(names).removed.length)
  return new Elysia({ name: "codex2api-proxies", prefix: "/api/admin/proxies" })
    .post("/test", ({ request }) =>
      adminRoute(request, parts, async () => {
        const { id } = await readOrder(request, TEST, parts)
        const [checked] = await proxies.check([id], () => {}, request.signal)
        return testResult(checked)
      }),
    )
    .post("/test-all", ({ request }) =>
      adminRoute(request, parts, async () => {
        const { ids } = await readOrder(request, IDS, parts)
        const checked = await proxies.check(ids, () => {}, request.signal)
        const success = checked.filter(({ failure }) => failure === null).length
        return { total: checked.length, success, failed: checked.length - success, results: checked.map(testResult) }
      }),
    )
    .post("/batch-delete", ({ request }) =>
      adminRoute(request, parts, async () => {
        const deleted = removed((await readOrder(request, IDS, parts)).ids)
        return { message: `${deleted} proxies deleted`, deleted }
      }),
    )
    .post("/clean-error", ({ request }) =>
      adminRoute(request, parts, () => {
        const cleaned = removed(proxies.list().flatMap(({ id, state }) => (state === "down" ? [id] : [])))
        return { message: `${cleaned} proxies deleted`, cleaned }
      }),
    )
    .post("/auto-balance", ({ request }) =>
      adminRoute(request, parts, () => {
        const to = proxies.list().flatMap(({ id, fault }) => (fault === null ? [id] : []))
        if (to.length === 0) {
          throw new GatewayError("invalid-request", "No proxy is enabled and working.", {
            code: "no_proxy",
            hint: "Add one, or enable one.",
          })
        }
        const { changes } = proxies.assign({ accounts: "all", to, isDryRun: false })
        return { message: `${changes.length} accounts assigned`, assigned: changes.length }
      }),
    )
}

function testResult(proxy: ProxyReport | undefined): object {
  return {
    id: proxy?.id ?? "",
    success: proxy?.failure === null,
    conclusive: true,
    ip: proxy?.exit_address ?? "",
    location: proxy?.region ?? "",
    latency_ms: proxy?.latency_ms ?? 0,
    ...(typeof proxy?.failure === "string" && { error: proxy.failure }),
  }
}

const STATUS = { unknown: "untested", up: "success", down: "error" } as const

/** A list in that system's shape; ids are ours, passwords are masked. */
export function codex2apiProxies(proxies: readonly ProxyReport[]): object {
  return {
    proxies: proxies.map(({ id, url, name, enabled, created_at, state, region, exit_address, latency_ms }) => ({
      id,
      url: url ?? "",
      label: name,
      enabled,
      created_at,
      test_status: STATUS[state],
      test_ip: exit_address ?? "",
      test_location: region ?? "",
      test_latency_ms: latency_ms ?? 0,
    })),
  }
}
