/** The routes of dvcrn/codex-proxy: put one credential in, ask how long it lasts. */

import { Type } from "@sinclair/typebox"
import { Elysia } from "elysia"

import { GatewayError } from "#core/errors.ts"
import type { AccountReport } from "#gateway/desk/account-report.ts"
import type { Desk } from "#gateway/desk/desk.ts"
import { type AdminParts, readOrder } from "#http/admin/admin-route.ts"

import { adapterRoute, TEXT_FAILURE } from "./adapter-route.ts"

/** `userID` may be there as well; that system does not use it either. */
const CREDENTIALS = Type.Object({
  accessToken: Type.String({ minLength: 1 }),
  refreshToken: Type.String({ minLength: 1 }),
  /** Milliseconds since the epoch. */
  expiresAt: Type.Number({ exclusiveMinimum: 0 }),
})

/** Minutes before the end at which that system begins to refresh. */
const SOON_MIN = 60

/** Returns the routes as one Elysia plugin; `nowMs` is the time. */
export function dvcrnRoutes(parts: AdminParts, nowMs: () => number) {
  const shape = TEXT_FAILURE
  return new Elysia({ name: "dvcrn", prefix: "/admin/credentials" })
    .post("", ({ request }) => adapterRoute({ request, shape }, parts, () => putCredentials(request, parts)), {
      parse: "none",
    })
    .get("/status", ({ request }) => adapterRoute({ request, shape }, parts, () => statusOf(parts.desk, nowMs())))
}

async function putCredentials(request: Request, parts: AdminParts): Promise<object> {
  const { accessToken, refreshToken, expiresAt } = await readOrder(request, CREDENTIALS, parts)
  const text = JSON.stringify({ access_token: accessToken, refresh_token: refreshToken, expires_at: expiresAt })
  const sources = [{ name: "request body", text }]
  const { results } = await parts.desk.importTexts({ sources, format: "flat", signal: request.signal })
  const [result] = results
  if (result === undefined || result.outcome === "refused") {
    throw new GatewayError("invalid-request", `The credential was refused: ${result?.reason ?? "it is blank"}.`)
  }
  return { status: "success", message: "Credentials updated successfully", id: result.account_id ?? null }
}

function endMs({ credential }: AccountReport): number {
  return credential.expires_at === null ? 0 : Date.parse(credential.expires_at)
}

/** That system has one credential; of many, the one that lasts longest is shown. */
function statusOf(desk: Desk, nowMs: number): object {
  const accounts = desk.list().filter(one => one.enabled && one.credential.type === "chatgpt")
  const [best] = accounts.toSorted((left, right) => endMs(right) - endMs(left))
  if (best === undefined) return { type: "oauth", hasCredentials: false, error: "There is no account yet." }
  const expiresAt = endMs(best)
  const minutesUntilExpiry = Math.trunc((expiresAt - nowMs) / 60_000)
  return {
    type: "oauth",
    hasCredentials: true,
    userID: best.workspace_id ?? "",
    expiresAt,
    minutesUntilExpiry,
    isExpired: minutesUntilExpiry <= 0,
    needsRefreshSoon: minutesUntilExpiry <= SOON_MIN,
    accounts: accounts.length,
  }
}
