/** `/api/admin/proxies/import` and `/export`: lists of proxies in and out. */

import { Type } from "@sinclair/typebox"
import { Elysia } from "elysia"

import { GatewayError } from "#core/errors.ts"
import { PROXY_FORMATS } from "#gateway/egress/proxy-text.ts"

import { type AdminParts, adminRoute, readOrder } from "./admin-route.ts"
import { readTextBody } from "./read-text.ts"

const EXPORT = Type.Object({
  format: Type.Optional(Type.Union(PROXY_FORMATS.map(format => Type.Literal(format)))),
  passwords: Type.Optional(Type.Union([Type.Literal("masked"), Type.Literal("shown")])),
})

/** Returns the routes as one Elysia plugin, without their prefix. */
export function proxyListRoutes(parts: AdminParts) {
  const { proxies } = parts.desk
  return new Elysia({ name: "admin-proxy-lists" })
    .post(
      "/import",
      ({ request }) =>
        adminRoute(request, parts, async ({ searchParams }) => {
          const text = await readTextBody(request, ["text", "yaml"], parts)
          return proxies.importText(text, searchParams.get("dry_run") === "true")
        }),
      { parse: "none" },
    )
    .post("/export", ({ request }) =>
      adminRoute(request, parts, async () => {
        const { format = "yaml", passwords = "masked" } = await readOrder(request, EXPORT, parts)
        const written = proxies.exportText(format, passwords)
        return Response.json(written, { headers: { "cache-control": "no-store" } })
      }),
    )
    .get("/export", ({ request }) => adminRoute(request, parts, url => exportProxies(parts, url)))
}

/** Writes the list; passwords only for `?passwords=shown`, which is logged. */
export function exportProxies({ desk }: AdminParts, { searchParams }: URL): Response {
  const name = searchParams.get("format") ?? "yaml"
  const format = PROXY_FORMATS.find(known => known === name)
  if (format === undefined) {
    const hint = `Known are ${PROXY_FORMATS.join(", ")}.`
    throw new GatewayError("invalid-request", `There is no format "${name}".`, { code: "unknown_format", hint })
  }
  const passwords = searchParams.get("passwords") === "shown" ? "shown" : "masked"
  const { text, count, skipped } = desk.proxies.exportText(format, passwords)
  return new Response(text, {
    headers: {
      "content-type": format === "yaml" ? "application/yaml; charset=utf-8" : "text/plain; charset=utf-8",
      "content-disposition": `attachment; filename="proxies.${format === "yaml" ? "yaml" : "txt"}"`,
      "cache-control": "no-store",
      "x-sluice-exported": String(count),
      "x-sluice-left-out": String(skipped.length),
    },
  })
}
