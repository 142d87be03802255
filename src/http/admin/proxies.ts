/** `/api/admin/proxies`: the operators' proxies, and which account goes out through which. */

import { type Static, Type } from "@sinclair/typebox"
import { Elysia } from "elysia"

import { GatewayError } from "#core/errors.ts"
import { needsConfirmation } from "#gateway/desk/confirmation.ts"
import type { ProxyChange } from "#gateway/desk/proxy-facts.ts"
import { codex2apiProxies } from "#http/adapters/codex2api-proxies.ts"
import { report } from "#http/progress.ts"

import { type AdminParts, adminRoute, readOrder } from "./admin-route.ts"
import { assignmentRoutes } from "./assignments.ts"
import { proxyListRoutes } from "./proxy-lists.ts"

const CHANGE = {
  name: Type.Optional(Type.String()),
  url: Type.Optional(Type.String()),
  region: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  enabled: Type.Optional(Type.Boolean()),
  max_concurrent: Type.Optional(Type.Integer()),
}

const ADD = Type.Object({
  ...CHANGE,
  urls: Type.Optional(Type.Array(Type.String(), { maxItems: 10_000 })),
  label: Type.Optional(Type.String()),
})

const NAMES = Type.Union([Type.Literal("all"), Type.Array(Type.String(), { maxItems: 10_000 })])
const BATCH = Type.Object({
  action: Type.Union([Type.Literal("enable"), Type.Literal("disable"), Type.Literal("delete")]),
  ids: Type.Array(Type.String(), { maxItems: 10_000 }),
  confirm: Type.Optional(Type.Boolean()),
})
const CHECK = Type.Object({ ids: Type.Optional(NAMES) })
const ACTIONS = ["enable", "disable", "check"] as const

/** Returns the routes as one Elysia plugin; checks tell their progress to a client that asks for events. */
export function proxyRoutes(parts: AdminParts) {
  const { proxies } = parts.desk
  return new Elysia({ name: "admin-proxies", prefix: "/api/admin/proxies" })
    .use(assignmentRoutes(parts))
    .use(proxyListRoutes(parts))
    .get("", ({ request }) => adminRoute(request, parts, url => list(parts, url)))
    .post("", ({ request }) => adminRoute(request, parts, async () => add(parts, await readOrder(request, ADD, parts))))
    .post("/check", ({ request }) =>
      adminRoute(request, parts, async () =>
        check(request, (await readOrder(request, CHECK, parts)).ids ?? "all", parts),
      ),
    )
    .post("/batch", ({ request }) =>
      adminRoute(request, parts, async () => {
        const { action, ids, confirm } = await readOrder(request, BATCH, parts)
        if (action !== "delete") return { proxies: proxies.change(ids, { enabled: action === "enable" }) }
        if (confirm !== true) throw needsConfirmation("Removing proxies")
        return proxies.remove(ids)
      }),
    )
    .get("/:id", ({ request, params }) => adminRoute(request, parts, () => proxies.show([params.id])[0]))
    .patch("/:id", ({ request, params }) =>
      adminRoute(request, parts, async () => {
        const change = await readOrder(request, Type.Object({ ...CHANGE, label: ADD.properties.label }), parts)
        return proxies.change([params.id], changeOf(change))[0]
      }),
    )
    .delete("/:id", ({ request, params }) =>
      adminRoute(request, parts, ({ searchParams }) => {
        if (searchParams.get("confirm") !== "true") throw needsConfirmation("Removing a proxy")
        return proxies.remove([params.id])
      }),
    )
    .post("/:id/:action", ({ request, params }) =>
      adminRoute(request, parts, () => {
        const action = ACTIONS.find(known => known === params.action)
        if (action === "check") return check(request, [params.id], parts)
        if (action !== undefined) return proxies.change([params.id], { enabled: action === "enable" })[0]
        throw new GatewayError("not-found", `There is no order "${params.action}".`, {
          hint: `Known are ${ACTIONS.join(", ")}.`,
        })
      }),
    )
}

function list({ desk }: AdminParts, { searchParams }: URL): unknown {
  const proxies = desk.proxies.list()
  if (searchParams.get("shape") === "codex2api") return codex2apiProxies(proxies)
  const { configured, passwordsShownAt } = desk.proxies
  return {
    total: proxies.length,
    proxies,
    configured: configured(),
    passwords_exported_at: passwordsShownAt(),
  }
}

function add({ desk }: AdminParts, order: Static<typeof ADD>): unknown {
  const { url, urls = [], label } = order
  const lines = [...urls, ...(url === undefined ? [] : [url])].map(line => line.trim()).filter(line => line !== "")
  if (lines.length === 0) {
    throw new GatewayError("invalid-request", "The order names no proxy.", {
      code: "no_proxy_named",
      hint: 'Send `{"url": "http://user:password@host:port"}`, or `urls` with several.',
    })
  }
  const change = changeOf(order)
  const name = change.name ?? label
  // One name cannot be that of several; they are numbered.
  const nameOf = (index: number) => (name === undefined || lines.length === 1 ? name : `${name}-${index + 1}`)
  const added = desk.proxies.add(lines.map((line, index) => ({ ...change, url: line, name: nameOf(index) })))
  return { proxies: added, inserted: added.length, total: lines.length }
}

function changeOf({ name, url, region, enabled, max_concurrent, label }: Static<typeof ADD>): ProxyChange {
  return { name: name ?? label, url, region, enabled, maxConcurrent: max_concurrent }
}

function check(request: Request, names: readonly string[] | "all", { desk }: AdminParts): unknown {
  return report(request, async onProgress => ({
    proxies: await desk.proxies.check(names, onProgress, request.signal),
  }))
}
