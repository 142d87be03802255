/** `/api/admin/accounts/import` and `/export`: account lists in and out. */

import { Type } from "@sinclair/typebox"
import { Elysia } from "elysia"

import { formatOfCodex2api } from "#http/adapters/codex2api.ts"
import { report } from "#http/progress.ts"

import { countsOf } from "./add.ts"
import { type AdminParts, adminRoute, readOrder } from "./admin-route.ts"
import type { ImportForm } from "./read-import.ts"
import { readImportBody } from "./read-import.ts"

const EXPORT = Type.Object({
  ids: Type.Optional(Type.Union([Type.Literal("all"), Type.Array(Type.String(), { maxItems: 100_000 })])),
  format: Type.Optional(Type.String()),
})

/** Left-out accounts named in a header; clients give up on headers of more than some kilobytes. */
const MAX_NAMED = 40

/** Returns the routes as one Elysia plugin; imports tell their progress to a client that asks for events. */
export function intakeRoutes(parts: AdminParts) {
  return new Elysia({ name: "admin-intake", prefix: "/api/admin/accounts" })
    .post("/import", ({ request }) => adminRoute(request, parts, url => runImport(request, url, parts)), {
      parse: "none",
    })
    .get("/export", ({ request }) => adminRoute(request, parts, url => runExport(url, parts)))
    .post("/export", ({ request }) =>
      adminRoute(request, parts, async () => {
        const { ids = "all", format = "flat" } = await readOrder(request, EXPORT, parts)
        return parts.desk.exportText(ids, format)
      }),
    )
}

async function runImport(request: Request, url: URL, { desk, timers, bodyTimeoutMs }: AdminParts): Promise<Response> {
  const form = await readImportBody(request, { timers, timeoutMs: bodyTimeoutMs() })
  const order = orderOf(form, url)
  const ours = formatOfCodex2api(order.format)
  return report(request, async onProgress => {
    const imported = await desk.importTexts({
      ...order,
      format: ours ?? order.format,
      sources: form.sources,
      signal: request.signal,
      onProgress: (written, total) => onProgress({ written, total }),
    })
    return ours === undefined ? imported : { ...countsOf(imported), ...imported }
  })
}

function orderOf({ fields }: ImportForm, { searchParams }: URL) {
  const read = (name: string) => searchParams.get(name) ?? fields.get(name) ?? undefined
  return {
    format: read("format"),
    isDryRun: read("dry_run") === "true",
    label: read("label"),
    tags: read("tags")?.split(","),
    isSignIn: read("origin") === "sign-in",
  }
}

function runExport({ searchParams }: URL, { desk }: AdminParts): Response {
  const name = searchParams.get("format") ?? "flat"
  const ids = searchParams.getAll("id").flatMap(text => text.split(","))
  const { text, count, skipped, isLines } = desk.exportText(ids.length === 0 ? "all" : ids, name)
  return new Response(text, {
    headers: {
      "content-type": isLines ? "text/plain; charset=utf-8" : "application/json",
      "content-disposition": `attachment; filename="accounts-${name}.${isLines ? "txt" : "json"}"`,
      "cache-control": "no-store",
      "x-sluice-exported": String(count),
      "x-sluice-left-out": JSON.stringify(skipped.slice(0, MAX_NAMED)),
    },
  })
}
