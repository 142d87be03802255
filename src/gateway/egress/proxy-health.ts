/** What checks have shown of a proxy: down after three failures in a row, up again after two successes. */

import type { ProxyState } from "#store/proxies.ts"

/** What is known of one proxy. Times are milliseconds since the epoch; absent = never. */
export type ProxyHealth = {
  readonly state: ProxyState
  /** Failures in a row. */
  readonly failStreak: number
  /** Successes in a row. */
  readonly successStreak: number
  /** Since when it has been proven down. */
  readonly downSinceMs?: number
  /** The address others see; of the last check that showed one. */
  readonly exitAddress?: string
  readonly latencyMs?: number
  /** Why the last check failed, without secrets. */
  readonly failure?: string
  readonly checkedAtMs?: number
}

/** What one check came to. */
export type ProxyCheck =
  | { readonly type: "works"; readonly latencyMs: number; readonly exitAddress?: string }
  | { readonly type: "fails"; readonly reason: string }

/** Nothing is known yet: it counts as usable. */
export const UNCHECKED: ProxyHealth = { state: "unknown", failStreak: 0, successStreak: 0 }

const FAILURES_TO_FALL = 3
const SUCCESSES_TO_RISE = 2

/** So soon another check follows a failure: three of them fall within a minute. */
const DOUBT_MS = 15_000
/** A proxy that is down is asked this often whether it is back. */
const DOWN_MS = 30_000

/** An account of the pool gets another proxy once its own has been down for this long. */
export const PROVEN_DOWN_MS: number = 30 * 60_000

/** Lays a check over what was known. */
export function noteCheck(before: ProxyHealth, check: ProxyCheck, nowMs: number): ProxyHealth {
  return check.type === "works" ? noteSuccess(before, check, nowMs) : noteFailure(before, check.reason, nowMs)
}

function noteSuccess(
  { state, successStreak, downSinceMs, exitAddress: known }: ProxyHealth,
  { latencyMs, exitAddress = known }: ProxyCheck & { type: "works" },
  nowMs: number,
): ProxyHealth {
  const streak = successStreak + 1
  const isStillDown = state === "down" && streak < SUCCESSES_TO_RISE
  return {
    state: isStillDown ? "down" : "up",
    failStreak: 0,
    successStreak: streak,
    ...(isStillDown && downSinceMs !== undefined && { downSinceMs }),
    ...(exitAddress !== undefined && { exitAddress }),
    latencyMs,
    checkedAtMs: nowMs,
  }
}

function noteFailure(
  { state, failStreak, downSinceMs, exitAddress }: ProxyHealth,
  failure: string,
  nowMs: number,
): ProxyHealth {
  const streak = failStreak + 1
  const isDown = state === "down" || streak >= FAILURES_TO_FALL
  return {
    state: isDown ? "down" : state,
    failStreak: streak,
    successStreak: 0,
    ...(isDown && { downSinceMs: downSinceMs ?? nowMs }),
    ...(exitAddress !== undefined && { exitAddress }),
    failure,
    checkedAtMs: nowMs,
  }
}

/** When the next check is due; `intervalMs` is the usual pace. */
export function nextCheckAtMs({ state, failStreak, checkedAtMs }: ProxyHealth, intervalMs: number): number {
  if (checkedAtMs === undefined) return 0
  const pauseMs = state === "down" ? DOWN_MS : failStreak > 0 ? DOUBT_MS : intervalMs
  return checkedAtMs + Math.min(pauseMs, intervalMs)
}

/** It has been down for so long that waiting for it is over. */
export function isProvenDown({ downSinceMs }: ProxyHealth, nowMs: number): boolean {
  return downSinceMs !== undefined && nowMs - downSinceMs >= PROVEN_DOWN_MS
}
