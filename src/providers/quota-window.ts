/** What the three sources of quota have in common: windows, credits, and when an account counts as spent. */

import { epochSeconds } from "#core/epoch-seconds.ts"
import type { QuotaBucket, QuotaSnapshot, QuotaWindow } from "#core/upstream.ts"

/** A window as a source states it; every part may be missing. */
export type RawWindow = {
  readonly usedPercent: number | undefined
  readonly windowSec: number | undefined
  readonly resetsAtSec: number | undefined
  readonly resetsInSec: number | undefined
}

/**
 * Returns the window, or undefined when it does not exist: a length of 0 marks an unused slot.
 * A window whose reset has passed is empty again.
 */
export function makeWindow(raw: RawWindow, nowMs: number): QuotaWindow | undefined {
  if (raw.usedPercent === undefined || raw.windowSec === undefined || raw.windowSec <= 0) return undefined
  const resetsAtSec = resetOf(raw, nowMs)
  const isOver = resetsAtSec !== undefined && resetsAtSec * 1000 <= nowMs
  return {
    usedPercent: isOver ? 0 : Math.min(100, Math.max(0, raw.usedPercent)),
    windowSec: raw.windowSec,
    ...(resetsAtSec !== undefined && { resetsAtSec }),
  }
}

/** Absolute times stay right when an observation is kept; relative ones are used only without them. */
function resetOf(raw: RawWindow, nowMs: number): number | undefined {
  if (raw.resetsAtSec !== undefined && raw.resetsAtSec > 0) return epochSeconds(raw.resetsAtSec)
  if (raw.resetsInSec === undefined || raw.resetsInSec <= 0) return undefined
  return Math.ceil(nowMs / 1000 + raw.resetsInSec)
}

/** Clocks differ, and lengths are rounded. */
const SLACK = 1.1

/** No window resets later than its own length from now: returns the wait, or that length for a wait that cannot be. */
export function withinWindowMs(waitMs: number, windowSec: number): number {
  return waitMs > windowSec * 1000 * SLACK ? windowSec * 1000 : waitMs
}

/** What a source says beside its windows. */
export type RawQuota = {
  readonly observedAtMs: number
  readonly planType: string | undefined
  readonly windows: readonly (QuotaWindow | undefined)[]
  readonly buckets: readonly QuotaBucket[]
  readonly credits: QuotaSnapshot["credits"]
  readonly resetCredits?: number | undefined
  /** The source itself says that the limit is reached. */
  readonly reachedBySource: boolean
  /** The source names every window there is. */
  readonly isWhole?: boolean
}

/** Returns the snapshot, or undefined when the source said nothing at all. */
export function makeSnapshot(raw: RawQuota): QuotaSnapshot | undefined {
  const windows = raw.windows.filter(window => window !== undefined)
  const saysNothing =
    windows.length === 0 &&
    raw.buckets.length === 0 &&
    raw.planType === undefined &&
    raw.credits === undefined &&
    !raw.reachedBySource
  if (saysNothing) return undefined
  return {
    observedAtMs: raw.observedAtMs,
    windows,
    limitReached: (raw.reachedBySource || isSpent(windows)) && !canUseCredits(raw.credits),
    ...(raw.isWhole === true && { isWhole: true }),
    ...(raw.planType !== undefined && { planType: raw.planType }),
    ...(raw.buckets.length > 0 && { buckets: raw.buckets }),
    ...(raw.credits !== undefined && { credits: raw.credits }),
    ...(raw.resetCredits !== undefined && { resetCredits: raw.resetCredits }),
  }
}

/** True when any window is used up. */
export function isSpent(windows: readonly QuotaWindow[]): boolean {
  return windows.some(window => window.usedPercent >= 100)
}

/** Credits carry an account on after its windows are spent. */
function canUseCredits(credits: QuotaSnapshot["credits"]): boolean {
  if (credits === undefined) return false
  return credits.unlimited || (credits.hasCredits && Number(credits.balance ?? 0) > 0)
}
