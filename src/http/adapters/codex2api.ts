/** What james-6-23/codex2api names or shapes differently on the routes that are ours as well, and its route for access tokens. */

import { Elysia } from "elysia"

import { GatewayError } from "#core/errors.ts"
import type { AccountReport } from "#gateway/desk/account-report.ts"
import { addAccounts, readAddOrder } from "#http/admin/add.ts"
import { type AdminParts, adminRoute } from "#http/admin/admin-route.ts"

/** Its names of file formats, and ours. */
const FORMATS: Readonly<Record<string, string>> = { txt: "refresh-tokens", at_txt: "access-tokens", json: "auto" }

/** Returns our name of a format if `name` is one of its names. */
export function formatOfCodex2api(name: string | undefined): string | undefined {
  return name !== undefined && Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined
}

/** Returns the route as an Elysia plugin. */
export function codex2apiRoutes(parts: AdminParts) {
  return new Elysia({ name: "codex2api", prefix: "/api/admin/accounts" }).post(
    "/at",
    ({ request }) =>
      adminRoute(request, parts, async () => {
        const order = await readAddOrder(request, parts)
        if (order.refresh_token === undefined) return addAccounts(request, order, parts.desk)
        throw new GatewayError("invalid-request", "This route takes access tokens only.", {
          code: "unexpected_refresh_token",
          hint: "Send `refresh_token` to `/api/admin/accounts`.",
        })
      }),
    { parse: "none" },
  )
}

function statusOf({ state }: AccountReport): "ready" | "cooldown" | "error" {
  return state === "ready" || state === "cooldown" ? state : "error"
}

/** The window of so many hours, give or take a tenth. */
function windowOf({ quota }: AccountReport, hours: number) {
  const found = quota?.windows.find(({ windowSec }) => Math.abs(windowSec / 3600 - hours) <= hours / 10)
  const resetsAtSec = found?.resetsAtSec
  return {
    percent: found?.usedPercent ?? null,
    reset_at: resetsAtSec === undefined ? null : new Date(resetsAtSec * 1000).toISOString(),
  }
}

/** An account as its list shows it, as far as we know the same things; ids are ours. */
export function codex2apiAccount(report: AccountReport): object {
  const { id, label, email, plan, requests, credential } = report
  const [short, long] = [windowOf(report, 5), windowOf(report, 168)]
  const status = statusOf(report)
  return {
    id,
    name: label,
    email: email ?? "",
    plan_type: plan ?? "",
    status,
    error_message: status === "error" ? (report.reason ?? report.state) : "",
    cooldown_reason: status === "cooldown" ? (report.reason ?? "") : "",
    cooldown_until: report.until,
    at_only: credential.type === "chatgpt" && !credential.can_refresh,
    enabled: report.enabled,
    tags: report.tags,
    note: report.note ?? "",
    chatgpt_account_id: report.workspace_id ?? "",
    active_requests: report.in_flight,
    concurrency_cap: report.concurrency,
    total_requests: requests?.requests ?? 0,
    success_requests: (requests?.requests ?? 0) - (requests?.errors ?? 0) - (requests?.cancelled ?? 0),
    error_requests: requests?.errors ?? 0,
    usage_percent_5h: short.percent,
    reset_5h_at: short.reset_at,
    usage_percent_7d: long.percent,
    reset_7d_at: long.reset_at,
  }
}
