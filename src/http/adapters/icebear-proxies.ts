/** The proxy routes of icebear0828/codex-proxy, under `/api/proxies`. */

import { type Static, Type } from "@sinclair/typebox"
import { Elysia } from "elysia"

import { GatewayError } from "#core/errors.ts"
import { proxyUrlOf } from "#gateway/egress/proxy-address.ts"
import { type AdminParts, readOrder } from "#http/admin/admin-route.ts"
import { exportProxies } from "#http/admin/proxy-lists.ts"
import { readTextBody } from "#http/admin/read-text.ts"

import { adapterRoute, FLAT_FAILURE } from "./adapter-route.ts"
import { icebearAssignmentRoutes, oldAssignments } from "./icebear-assignments.ts"
import { findIcebearProxy, icebearHealth, icebearProxy } from "./icebear-proxy.ts"

const RAW = { parse: "none" } as const

const ADD = Type.Object({
  name: Type.Optional(Type.String()),
  url: Type.Optional(Type.String()),
  protocol: Type.Optional(Type.String()),
  host: Type.Optional(Type.String()),
  port: Type.Optional(Type.Union([Type.String(), Type.Number()])),
  username: Type.Optional(Type.String()),
  password: Type.Optional(Type.String()),
})
const CHANGE = Type.Object({ name: Type.Optional(Type.String()), url: Type.Optional(Type.String()) })

/** Returns the routes as one Elysia plugin. */
export function icebearProxyRoutes(parts: AdminParts) {
  const { proxies } = parts.desk
  const route = (request: Request, handle: (url: URL) => unknown) =>
    adapterRoute({ request, shape: FLAT_FAILURE }, parts, handle)
  const all = () => proxies.list().map(icebearProxy)

  return new Elysia({ name: "icebear-proxies", prefix: "/api/proxies" })
    .use(icebearAssignmentRoutes(parts))
    .get("", ({ request }) => route(request, () => ({ proxies: all(), assignments: oldAssignments(parts.desk) })))
    .post("", ({ request }) => route(request, async () => add(parts, await readOrder(request, ADD, parts))), RAW)
    .post(
      "/check-all",
      ({ request }) =>
        route(request, async () => {
          await proxies.check("all", () => {}, request.signal)
          return { success: true, proxies: all() }
        }),
      RAW,
    )
    .get("/export", ({ request }) => route(request, url => exportProxies(parts, url)))
    .post("/import", ({ request }) => route(request, () => importList(request, parts)), RAW)
    .use(oneRoutes(parts))
}

function oneRoutes(parts: AdminParts) {
  const { proxies } = parts.desk
  const route = (request: Request, handle: (url: URL) => unknown) =>
    adapterRoute({ request, shape: FLAT_FAILURE }, parts, handle)
  const changed = (id: string, change: Parameters<typeof proxies.change>[1]) => {
    const [proxy] = proxies.change([findIcebearProxy(parts.desk, id).id], change)
    return { success: true, proxy: proxy === undefined ? null : icebearProxy(proxy) }
  }
  return new Elysia({ name: "icebear-proxy" })
    .put(
      "/:id",
      ({ request, params }) => route(request, async () => changed(params.id, await readOrder(request, CHANGE, parts))),
      RAW,
    )
    .delete("/:id", ({ request, params }) =>
      route(request, () => {
        proxies.remove([findIcebearProxy(parts.desk, params.id).id])
        return { success: true }
      }),
    )
    .post("/:id/enable", ({ request, params }) => route(request, () => changed(params.id, { enabled: true })), RAW)
    .post("/:id/disable", ({ request, params }) => route(request, () => changed(params.id, { enabled: false })), RAW)
    .post(
      "/:id/check",
      ({ request, params }) =>
        route(request, async () => {
          const [checked] = await proxies.check([findIcebearProxy(parts.desk, params.id).id], () => {}, request.signal)
          if (checked === undefined) throw new TypeError("one name finds one proxy or throws")
          return { success: true, proxy: icebearProxy(checked), health: icebearHealth(checked) }
        }),
      RAW,
    )
}

function add({ desk }: AdminParts, order: Static<typeof ADD>): object {
  const { name, url, protocol = "http", host, port, username = "", password = "" } = order
  const text = url?.trim() || undefined
  if (text === undefined && (host === undefined || host.trim() === "")) {
    throw new GatewayError("invalid-request", "url or host is required", { code: "no_proxy_named" })
  }
  const place = port === undefined || port === "" ? host?.trim() : `${host?.trim()}:${port}`
  const made = text ?? proxyUrlOf({ scheme: protocol, host: place ?? "", user: username, password })
  const [proxy] = desk.proxies.add([{ url: made, name }])
  return { success: true, proxy: proxy === undefined ? null : icebearProxy(proxy) }
}

async function importList(request: Request, parts: AdminParts): Promise<object> {
  const text = await readTextBody(request, ["text", "yaml", "content"], parts)
  const { counts, results } = parts.desk.proxies.importText(text, false)
  const errors = results.flatMap(({ where, reason }) => (reason === undefined ? [] : [`${where}: ${reason}`]))
  return { success: true, added: counts.added, skipped: counts.unchanged + counts.updated, errors }
}
