/** The account routes of icebear0828/codex-proxy, under `/auth/accounts`. */

import { Type } from "@sinclair/typebox"
import { Elysia } from "elysia"

import { GatewayError } from "#core/errors.ts"
import type { Json } from "#core/json.ts"
import { type AdminParts, readOrder } from "#http/admin/admin-route.ts"
import { readImportBody } from "#http/admin/read-import.ts"

import { adapterRoute, FLAT_FAILURE, ingestCounts } from "./adapter-route.ts"
import { icebearAccount } from "./icebear-account.ts"
import { addOne, checkHealth, exportAccounts, findOne, partition, quotaOf, refreshOne } from "./icebear-orders.ts"

const TOKEN = Type.Object({
  token: Type.Optional(Type.String()),
  refreshToken: Type.Optional(Type.Union([Type.String(), Type.Null()])),
})
const IDS = Type.Object({ ids: Type.Array(Type.String(), { minItems: 1, maxItems: 100_000 }) })
const STATUS = Type.Intersect([
  IDS,
  Type.Object({ status: Type.Union([Type.Literal("active"), Type.Literal("disabled")]) }),
])
/** `stagger_ms` and `concurrency` may be there as well; the pace is that of `health-check-concurrency`. */
const HEALTH = Type.Object({ ids: Type.Optional(Type.Array(Type.String(), { maxItems: 100_000 })) })
const LABEL = Type.Object({ label: Type.Union([Type.String({ maxLength: 64 }), Type.Null()]) })
const COOKIES = Type.Object({ cookies: Type.Unsafe<Json>(Type.Any()) })

const RAW = { parse: "none" } as const

/** Returns the routes as one Elysia plugin. */
export function icebearRoutes(parts: AdminParts) {
  const { desk } = parts
  const route = (request: Request, handle: (url: URL) => unknown) =>
    adapterRoute({ request, shape: FLAT_FAILURE }, parts, handle)

  return new Elysia({ name: "icebear", prefix: "/auth/accounts" })
    .get("", ({ request }) => route(request, url => list(parts, url)))
    .post("", ({ request }) => route(request, async () => addOne(parts, await readOrder(request, TOKEN, parts))), RAW)
    .get("/export", ({ request }) => route(request, url => exportAccounts(desk, url)))
    .post("/import", ({ request }) => route(request, () => importMany(request, parts)), RAW)
    .post("/batch-delete", ({ request }) => route(request, () => deleteMany(request, parts)), RAW)
    .post("/batch-status", ({ request }) => route(request, () => setMany(request, parts)), RAW)
    .post(
      "/health-check",
      ({ request }) => route(request, async () => checkHealth(desk, (await readOrder(request, HEALTH, parts)).ids)),
      RAW,
    )
    .use(oneRoutes(parts))
}

function oneRoutes(parts: AdminParts) {
  const { desk } = parts
  const route = (request: Request, handle: (url: URL) => unknown) =>
    adapterRoute({ request, shape: FLAT_FAILURE }, parts, handle)

  return new Elysia({ name: "icebear-one" })
    .delete("/:id", ({ request, params }) =>
      route(request, async () => {
        await desk.remove([findOne(desk, params.id).id])
        return { success: true }
      }),
    )
    .post("/:id/refresh", ({ request, params }) => route(request, () => refreshOne(desk, params.id)), RAW)
    .get("/:id/quota", ({ request, params }) => route(request, () => quotaOf(desk, params.id)))
    .patch(
      "/:id/label",
      ({ request, params }) =>
        route(request, async () => {
          const { label } = await readOrder(request, LABEL, parts)
          desk.change([findOne(desk, params.id).id], { label })
          return { success: true }
        }),
      RAW,
    )
    .get("/:id/cookies", ({ request, params }) =>
      route(request, ({ searchParams }) => {
        const shown = searchParams.get("values") === "true" ? "in full" : "masked"
        return cookiesOf(parts, params.id, shown)
      }),
    )
    .post(
      "/:id/cookies",
      ({ request, params }) =>
        route(request, async () => {
          const { id } = findOne(desk, params.id)
          desk.cookies.put(id, (await readOrder(request, COOKIES, parts)).cookies)
          return { success: true, ...cookiesOf(parts, id, "masked") }
        }),
      RAW,
    )
    .delete("/:id/cookies", ({ request, params }) =>
      route(request, () => {
        desk.cookies.remove(findOne(desk, params.id).id, undefined)
        return { success: true }
      }),
    )
}

async function list({ desk }: AdminParts, { searchParams }: URL): Promise<object> {
  const wish = searchParams.get("quota")
  if (wish === "fresh") await desk.test("all", () => {})
  const part = wish === "fresh" || wish === "true" ? "with quota" : "plain"
  return { accounts: desk.list().map(one => icebearAccount(one, part)) }
}

async function importMany(request: Request, { desk, timers, bodyTimeoutMs }: AdminParts): Promise<object> {
  const { sources } = await readImportBody(request, { timers, timeoutMs: bodyTimeoutMs() })
  const imported = await desk.importTexts({ sources, signal: request.signal })
  const isReadable = imported.sources.some(source => source.format !== undefined && source.count > 0)
  if (isReadable) return { success: true, ...ingestCounts(imported) }
  throw new GatewayError("invalid-request", "No importable accounts found.", {
    code: "nothing_readable",
    hint:
      imported.results[0]?.reason ??
      'Send `{"accounts": [{"token"?, "refreshToken"?, "label"?}]}`, or tokens one a line.',
  })
}

async function deleteMany(request: Request, parts: AdminParts): Promise<object> {
  const { known, notFound } = partition(parts.desk, (await readOrder(request, IDS, parts)).ids)
  await parts.desk.remove(known)
  return { success: true, deleted: known.length, notFound }
}

async function setMany(request: Request, parts: AdminParts): Promise<object> {
  const { ids, status } = await readOrder(request, STATUS, parts)
  const { known, notFound } = partition(parts.desk, ids)
  parts.desk.change(known, { enabled: status === "active" })
  return { success: true, updated: known.length, notFound }
}

/** That system shows names with values; two cookies of one name are told apart by ours. */
function cookiesOf({ desk }: AdminParts, name: string, shown: "masked" | "in full"): object {
  const cookies = desk.cookies.list(findOne(desk, name).id, shown)
  return { cookies: cookies.length === 0 ? null : Object.fromEntries(cookies.map(one => [one.name, one.value])) }
}
