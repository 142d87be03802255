/** What the upstream says of an account's quota, in the backend's own words. */

import type { QuotaWindow } from "#simulator/accounts/quota.ts"
import type { QuotaView } from "#simulator/accounts/quota-wire.ts"

import { type HiddenAccount, rollWindows } from "./population.ts"

const NO_CREDITS = { hasCredits: false, unlimited: false, balance: 0 }

/** Reads the account's windows at this moment. */
export function quotaViewOf(hidden: HiddenAccount, nowMs: number): QuotaView {
  rollWindows(hidden, nowMs)
  const [first, second] = hidden.windows.map(windowOf)
  if (first === undefined) throw new Error("every account has a window")
  const windows = { primary: first, secondary: second }
  return {
    account: hidden.simulated,
    family: "codex",
    nowSec: Math.floor(nowMs / 1000),
    resetCredits: 0,
    // The backend counts the small model apart; here both draw on the same windows, so its own ones are never used.
    state: {
      windows: { codex: windows, codex_bengalfox: { primary: { ...first, usedPercent: 0 }, secondary: undefined } },
      credits: NO_CREDITS,
      usePercentPerRequest: 0,
    },
  }
}

/** Whole percents, rounded down: what reads 99 may be nearly spent. */
function windowOf({ used, capacity, lengthMs, resetsAtMs }: HiddenAccount["windows"][number]): QuotaWindow {
  return {
    usedPercent: Math.min(100, Math.floor((100 * used) / capacity)),
    windowMinutes: lengthMs / 60_000,
    resetAtSec: Math.ceil(resetsAtMs / 1000),
  }
}
