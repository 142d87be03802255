/** The routes of XxxXTeam/codex-proxy for taking accounts in and for recovering them. */

import { basename } from "node:path"

import { Type } from "@sinclair/typebox"
import { Elysia } from "elysia"

import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountReport } from "#gateway/desk/account-report.ts"
import type { Desk } from "#gateway/desk/desk.ts"
import { type AdminParts, readOrder } from "#http/admin/admin-route.ts"
import { readImportBody } from "#http/admin/read-import.ts"

import { adapterRoute, ingestCounts, NESTED_FAILURE } from "./adapter-route.ts"

const RECOVER = Type.Object({
  email: Type.Optional(Type.String()),
  file_path: Type.Optional(Type.String()),
  all: Type.Optional(Type.Boolean()),
})

const RAW = { parse: "none" } as const

/** Returns the routes as one Elysia plugin. */
export function xxxteamRoutes(parts: AdminParts, clock: Clock) {
  const shape = NESTED_FAILURE
  const take = ({ request }: { readonly request: Request }) =>
    adapterRoute({ request, shape }, parts, () => ingest(request, parts))
  return new Elysia({ name: "xxxteam" })
    .post("/admin/accounts", take, RAW)
    .post("/admin/accounts/ingest", take, RAW)
    .post(
      "/recover-auth",
      ({ request }) => adapterRoute({ request, shape }, parts, () => recover(request, parts, clock)),
      RAW,
    )
}

async function ingest(request: Request, { desk, timers, bodyTimeoutMs }: AdminParts): Promise<object> {
  const { sources } = await readImportBody(request, { timers, timeoutMs: bodyTimeoutMs() })
  const imported = await desk.importTexts({ sources, signal: request.signal })
  if (imported.sources.every(source => source.format === undefined)) {
    throw new GatewayError("invalid-request", imported.results[0]?.reason ?? "There is no account in it.", {
      code: "nothing_readable",
      hint: "Send one object, an array of objects, or one object a line.",
    })
  }
  return { ...ingestCounts(imported), pool_total: desk.list().length }
}

async function recover(request: Request, parts: AdminParts, clock: Clock): Promise<object> {
  const { desk } = parts
  const { email = "", file_path = "", all = false } = await readOrder(request, RECOVER, parts)
  const startedAtMs = clock()
  if (all) {
    const chosen = desk.list().filter(one => one.enabled)
    const results = await recoverEach(desk, chosen)
    return { object: "list", results, count: results.length, duration_ms: clock() - startedAtMs }
  }
  const name = email.trim() || basename(file_path.trim())
  if (name === "") {
    throw new GatewayError("invalid-request", "Name an account by `email` or `file_path`, or set `all` to true.")
  }
  const [result] = await recoverEach(desk, desk.show([name]))
  return { object: "auth401_recover_result", result, duration_ms: clock() - startedAtMs }
}

/** Refreshes each; what failed for good has left the pool by then, which that system calls disabled. */
async function recoverEach(desk: Desk, chosen: readonly AccountReport[]): Promise<readonly object[]> {
  const ids = chosen.filter(one => one.credential.can_refresh).map(one => one.id)
  const reports = new Map((await desk.refresh(ids, () => {})).map(one => [String(one.account), one]))
  const states = new Map(desk.list().map(one => [one.id, one.state]))
  return chosen.map(({ id, email, source }) => {
    const report = reports.get(id)
    const shown = { email: email ?? "", ...(source.file !== null && { file_path: source.file }) }
    if (report === undefined) return { ...shown, status: "invalid_input", detail: "it has no refresh token" }
    if (report.status === "refreshed" || report.status === "current") return { ...shown, status: "refreshed" }
    const isOut = states.get(id) === "needs-login" || states.get(id) === "suspended"
    const status = isOut ? "disabled" : "cooldown_429_quota_ok"
    return { ...shown, status, ...(isOut && { reason_code: "auth_401_disabled" }), detail: report.error ?? "failed" }
  })
}
