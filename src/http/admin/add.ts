/** `POST /api/admin/accounts`: a few accounts by their tokens, one a line. */

import { type Static, Type } from "@sinclair/typebox"
import { Elysia } from "elysia"

import { GatewayError } from "#core/errors.ts"
import type { Desk } from "#gateway/desk/desk.ts"
import type { AccountText, ImportReport } from "#gateway/desk/intake.ts"
import { report } from "#http/progress.ts"

import { type AdminParts, adminRoute, readOrder } from "./admin-route.ts"

const ORDER = Type.Object({
  refresh_token: Type.Optional(Type.String()),
  access_token: Type.Optional(Type.String()),
  /** The same as `label`. */
  name: Type.Optional(Type.String()),
  label: Type.Optional(Type.String()),
  note: Type.Optional(Type.String()),
  tags: Type.Optional(Type.Array(Type.String())),
  proxy_url: Type.Optional(Type.String()),
})

/** Tokens and what the accounts are to be called. */
export type AddOrder = Static<typeof ORDER>

/** More belong into a file: `POST /api/admin/accounts/import`. */
const MAX_LINES = 100

/** Returns the route as an Elysia plugin. */
export function addRoutes(parts: AdminParts) {
  return new Elysia({ name: "admin-add", prefix: "/api/admin/accounts" }).post(
    "",
    ({ request }) =>
      adminRoute(request, parts, async () => addAccounts(request, await readAddOrder(request, parts), parts.desk)),
    { parse: "none" },
  )
}

/** Reads the order. Throws `invalid-request` for a body that is none. */
export function readAddOrder(request: Request, parts: AdminParts): Promise<AddOrder> {
  return readOrder(request, ORDER, parts)
}

/** Adds the accounts and reports what became of each line. */
export function addAccounts(request: Request, order: AddOrder, desk: Desk): Promise<Response> | Response {
  const { source, format } = sourceOf(order)
  const proxy = proxyOf(order, desk)
  return report(request, async onProgress => {
    const imported = await desk.importTexts({
      sources: [source],
      format,
      proxy,
      signal: request.signal,
      onProgress: (written, total) => onProgress({ written, total }),
    })
    if (!imported.dry_run) describeAdded(imported, order, desk)
    return { ...countsOf(imported), results: imported.results }
  })
}

function refuse(message: string, code: string, hint: string): GatewayError {
  return new GatewayError("invalid-request", message, { code, hint })
}

function linesOf(text: string | undefined): readonly string[] {
  const lines = (text ?? "").split(/\r\n|\n|\r/).map(line => line.trim())
  return lines.filter(line => line !== "")
}

/** The proxy that new accounts get, which is kept with the others. Throws `invalid-request` for an address that cannot be used. */
function proxyOf({ proxy_url = "" }: AddOrder, desk: Desk): string | undefined {
  return proxy_url.trim() === "" ? undefined : desk.proxies.keep(proxy_url)
}

function sourceOf({ refresh_token, access_token }: AddOrder): {
  readonly source: AccountText
  readonly format: string
} {
  const [refresh, access] = [linesOf(refresh_token), linesOf(access_token)]
  const count = Math.max(refresh.length, access.length)
  if (count === 0) {
    throw refuse("There is no token in it.", "missing_token", "Send `refresh_token` or `access_token`, one a line.")
  }
  if (count > MAX_LINES) {
    const hint = "Send more as a file to `/api/admin/accounts/import`, which has no such limit."
    throw refuse(`At most ${MAX_LINES} lines at a time; these are ${count}.`, "too_many_lines", hint)
  }
  if (refresh.length > 0 && access.length > 0) return pairOf(refresh, access)
  const format = refresh.length > 0 ? "refresh-tokens" : "access-tokens"
  return { source: { name: "request body", text: [...refresh, ...access].join("\n") }, format }
}

/** Both tokens are one account. */
function pairOf(refresh: readonly string[], access: readonly string[]) {
  if (refresh.length > 1 || access.length > 1) {
    const hint = "Send many as a file of entries to `/api/admin/accounts/import`."
    throw refuse("Both tokens together are for one account.", "ambiguous_tokens", hint)
  }
  const text = JSON.stringify({ refresh_token: refresh[0] ?? "", access_token: access[0] ?? "" })
  return { source: { name: "request body", text }, format: "flat" }
}

/** Several accounts of one name are numbered by their line. */
function describeAdded({ results }: ImportReport, order: AddOrder, desk: Desk): void {
  const { note, tags } = order
  const name = (order.label ?? order.name ?? "").trim()
  if (name === "" && note === undefined && tags === undefined) return
  results.forEach(({ outcome, account_id: accountId }, index) => {
    if (outcome !== "added" || accountId === undefined) return
    const label = name === "" ? undefined : results.length === 1 ? name : `${name}-${index + 1}`
    desk.change([accountId], { label, note, tags })
  })
}

/** An import's counts with the names that codex2api gives them, which its scripts read. */
export function countsOf({ counts, results }: ImportReport): object {
  const success = counts.added + counts.updated
  const { unchanged: duplicate, refused: failed } = counts
  const said = [`${success} added or updated`, `${duplicate} known already`, `${failed} refused`].join(", ")
  return { message: said, success, duplicate, failed, total: results.length }
}
