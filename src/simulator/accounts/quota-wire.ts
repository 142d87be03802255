/** The quota state as the backend writes it: response headers, usage body, side-channel event, 429. */

import type { Json, JsonObject } from "#core/json.ts"
import { jsonRefusal, type Refusal } from "#simulator/refusal.ts"

import type { SimulatedAccount } from "./accounts.ts"
import type { QuotaFamily, QuotaState, QuotaWindow, QuotaWindows } from "./quota.ts"

/** What every form of the quota state is written from. */
export type QuotaView = {
  readonly account: SimulatedAccount
  readonly state: QuotaState
  readonly family: QuotaFamily
  /** Banked resets that can be spent. */
  readonly resetCredits: number
  readonly nowSec: number
}

const SPARK_LIMIT_NAME = "GPT-5.3-Codex-Spark"

/**
 * Writes the headers every answer carries, with the backend's habits: Python's `True` and `False`, an absent window as
 * zero minutes and an empty reset time, an empty balance.
 */
export function quotaHeaders(view: QuotaView): Record<string, string> {
  const { credits } = view.state
  return {
    "x-codex-plan-type": view.account.plan,
    "x-codex-active-limit": view.family,
    ...windowHeaders("x-codex", view.state.windows.codex, view.nowSec),
    ...sparkHeaders(view),
    "x-codex-credits-has-credits": pythonBoolean(credits.hasCredits),
    "x-codex-credits-unlimited": pythonBoolean(credits.unlimited),
    "x-codex-credits-balance": credits.hasCredits ? balanceText(credits.balance) : "",
  }
}

/** Writes the body of the usage endpoint from the same state. */
export function usageBody(view: QuotaView): JsonObject {
  const { account, state } = view
  const reached = isReached(state.windows.codex)
  return {
    user_id: account.userId,
    account_id: account.workspaceId,
    email: account.email,
    plan_type: account.plan,
    rate_limit: rateLimit(state.windows.codex, view.nowSec),
    code_review_rate_limit: null,
    additional_rate_limits: hasSpark(account) ? [sparkLimit(view)] : null,
    credits: {
      has_credits: state.credits.hasCredits,
      unlimited: state.credits.unlimited,
      overage_limit_reached: false,
      balance: balanceText(state.credits.balance),
      approx_local_messages: [0, 0],
      approx_cloud_messages: [0, 0],
    },
    spend_control: { reached: false, individual_limit: null },
    rate_limit_reached_type: reached ? { type: "rate_limit_reached" } : null,
    rate_limit_reset_credits: { available_count: view.resetCredits, applicable_available_count: view.resetCredits },
  }
}

/** Writes the `codex.rate_limits` event without its sequence number. */
export function rateLimitsEvent(view: QuotaView): JsonObject {
  const windows = view.state.windows[view.family]
  const reached = isReached(windows)
  return {
    type: "codex.rate_limits",
    plan_type: view.account.plan,
    rate_limits: {
      allowed: !reached,
      limit_reached: reached,
      primary: eventWindow(windows.primary, view.nowSec),
      secondary: windows.secondary === undefined ? null : eventWindow(windows.secondary, view.nowSec),
    },
    credits: {
      has_credits: view.state.credits.hasCredits,
      unlimited: view.state.credits.unlimited,
      balance: balanceText(view.state.credits.balance),
    },
    metered_limit_name: view.family,
    ...(view.family === "codex" ? {} : { limit_name: SPARK_LIMIT_NAME }),
  }
}

/** The 429 of a spent window; its reset time is the latest among the spent windows. */
export function exhaustedRefusal(view: QuotaView): Refusal {
  const { primary, secondary } = view.state.windows[view.family]
  const spent = [primary, ...(secondary === undefined ? [] : [secondary])].filter(window => window.usedPercent >= 100)
  const resetsAtSec = Math.max(...spent.map(window => window.resetAtSec))
  return usageLimitRefusal(view, Number.isFinite(resetsAtSec) ? resetsAtSec : primary.resetAtSec)
}

/** The same 429 with a stated reset time, for scripts that do not touch the windows. */
export function usageLimitRefusal(view: QuotaView, resetsAtSec: number): Refusal {
  const body = {
    error: {
      type: "usage_limit_reached",
      message: "The usage limit has been reached",
      plan_type: view.account.plan,
      resets_at: resetsAtSec,
      eligible_promo: null,
      resets_in_seconds: Math.max(0, resetsAtSec - view.nowSec),
    },
  }
  return { ...jsonRefusal(429, body), headers: { "x-codex-rate-limit-reached-type": "rate_limit_reached" } }
}

/** Plans that have the small fast model, which counts apart. */
function hasSpark(account: SimulatedAccount): boolean {
  return account.plan === "pro" || account.plan === "prolite"
}

function windowHeaders(prefix: string, windows: QuotaWindows, nowSec: number): Record<string, string> {
  return { ...slotHeaders(`${prefix}-primary`, windows.primary, nowSec), ...secondaryHeaders(prefix, windows, nowSec) }
}

function secondaryHeaders(prefix: string, windows: QuotaWindows, nowSec: number): Record<string, string> {
  if (windows.secondary !== undefined) return slotHeaders(`${prefix}-secondary`, windows.secondary, nowSec)
  return {
    [`${prefix}-secondary-used-percent`]: "0",
    [`${prefix}-secondary-window-minutes`]: "0",
    [`${prefix}-secondary-reset-after-seconds`]: "0",
    [`${prefix}-secondary-reset-at`]: "",
  }
}

function slotHeaders(slot: string, window: QuotaWindow, nowSec: number): Record<string, string> {
  return {
    [`${slot}-used-percent`]: String(window.usedPercent),
    [`${slot}-window-minutes`]: String(window.windowMinutes),
    [`${slot}-reset-after-seconds`]: String(Math.max(0, window.resetAtSec - nowSec)),
    [`${slot}-reset-at`]: String(window.resetAtSec),
  }
}

function sparkHeaders(view: QuotaView): Record<string, string> {
  if (!hasSpark(view.account)) return {}
  return {
    ...windowHeaders("x-codex-bengalfox", view.state.windows.codex_bengalfox, view.nowSec),
    "x-codex-bengalfox-limit-name": SPARK_LIMIT_NAME,
  }
}

function sparkLimit(view: QuotaView): Json {
  return {
    limit_name: SPARK_LIMIT_NAME,
    metered_feature: "codex_bengalfox",
    rate_limit: rateLimit(view.state.windows.codex_bengalfox, view.nowSec),
  }
}

function rateLimit(windows: QuotaWindows, nowSec: number): Json {
  const reached = isReached(windows)
  return {
    allowed: !reached,
    limit_reached: reached,
    primary_window: usageWindow(windows.primary, nowSec),
    secondary_window: windows.secondary === undefined ? null : usageWindow(windows.secondary, nowSec),
  }
}

function usageWindow(window: QuotaWindow, nowSec: number): Json {
  return {
    used_percent: window.usedPercent,
    limit_window_seconds: window.windowMinutes * 60,
    reset_after_seconds: Math.max(0, window.resetAtSec - nowSec),
    reset_at: window.resetAtSec,
  }
}

function eventWindow(window: QuotaWindow, nowSec: number): Json {
  return {
    used_percent: window.usedPercent,
    window_minutes: window.windowMinutes,
    reset_after_seconds: Math.max(0, window.resetAtSec - nowSec),
    reset_at: window.resetAtSec,
  }
}

function isReached(windows: QuotaWindows): boolean {
  return windows.primary.usedPercent >= 100 || (windows.secondary?.usedPercent ?? 0) >= 100
}

function pythonBoolean(value: boolean): string {
  return value ? "True" : "False"
}

function balanceText(balance: number): string {
  return balance.toFixed(10)
}
