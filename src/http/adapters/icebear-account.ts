/** An account and its quota in the shapes of icebear0828/codex-proxy. */

import type { QuotaSnapshot, QuotaWindow } from "#core/upstream.ts"
import type { AccountReport } from "#gateway/desk/account-report.ts"

import { icebearProxyId, icebearProxyName } from "./icebear-proxy.ts"

/** That system's words for an account's state. */
export type IcebearStatus =
  | "active"
  | "expired"
  | "quota_exhausted"
  | "rate_limited"
  | "refreshing"
  | "disabled"
  | "banned"

/** Says our state in its words. */
export function icebearStatus({ state, reason, credential }: AccountReport): IcebearStatus {
  switch (state) {
    case "ready":
      return "active"
    case "no-proxy":
      return "disabled"
    case "cooldown":
      return reason === "quota" ? "quota_exhausted" : "rate_limited"
    case "paused":
    case "archived":
      return "disabled"
    case "new":
    case "uncertain":
      return "refreshing"
    case "expired":
      // One that can be refreshed is, without anybody asking.
      return credential.can_refresh ? "refreshing" : "expired"
    case "needs-login":
      return "expired"
    case "suspended":
      return "banned"
  }
}

function rateLimit(window: QuotaWindow | undefined) {
  return {
    used_percent: window?.usedPercent ?? null,
    reset_at: window?.resetsAtSec ?? null,
    limit_window_seconds: window?.windowSec ?? null,
  }
}

/** The quota as it shows it: the shortest window first, the next longer one second. */
export function icebearQuota(quota: QuotaSnapshot, plan: string | null): object {
  const [first, second] = quota.windows.toSorted((left, right) => left.windowSec - right.windowSec)
  const { limitReached } = quota
  return {
    plan_type: quota.planType ?? plan ?? "unknown",
    rate_limit: { allowed: !limitReached, limit_reached: limitReached, ...rateLimit(first) },
    secondary_rate_limit:
      second === undefined ? null : { limit_reached: second.usedPercent >= 100, ...rateLimit(second) },
    code_review_rate_limit: null,
  }
}

/** An account without its tokens; `withQuota` adds what is known of its quota. */
export function icebearAccount(report: AccountReport, part: "plain" | "with quota"): object {
  const { id, email, label, plan, requests, credential, quota, until, state } = report
  const lastUsedAtMs = requests?.lastUsedAtMs
  const shown = part === "with quota" && quota !== null ? quota : undefined
  return {
    id,
    email,
    accountId: report.workspace_id,
    userId: report.user_id,
    label: label === email ? null : label,
    planType: plan,
    status: icebearStatus(report),
    usage: {
      request_count: requests?.requests ?? 0,
      input_tokens: requests?.inputTokens ?? 0,
      output_tokens: requests?.outputTokens ?? 0,
      empty_response_count: 0,
      last_used: lastUsedAtMs === undefined ? null : new Date(lastUsedAtMs).toISOString(),
      rate_limit_until: state === "cooldown" ? until : null,
    },
    addedAt: null,
    expiresAt: credential.expires_at,
    proxyId: icebearProxyId(report.egress),
    proxyName: icebearProxyName(report.egress),
    ...(shown && {
      quota: icebearQuota(shown, plan),
      quotaFetchedAt: new Date(shown.observedAtMs).toISOString(),
    }),
  }
}
