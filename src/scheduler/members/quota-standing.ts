/** What an account's quota means for its place in line: how much is left of the tightest window, and until when. */

import type { QuotaSnapshot, QuotaWindow } from "#core/upstream.ts"
import { BANDS } from "#scheduler/pick/ranks.ts"
import type { Strategy } from "#scheduler/pick/strategies.ts"

const HOUR_MS = 3_600_000

/** Windows up to this long are the short kind, windows from {@link LONG_SEC} the long kind; lengths tell them apart, not slots. */
const SHORT_SEC = 24 * 3600
const LONG_SEC = 2 * 24 * 3600

/** Where an account stands. */
export type QuotaStanding = {
  /** Of the tightest window, 0–100; 100 while nothing is known. */
  readonly remainingPercent: number
  /** Reset of that window, milliseconds since the epoch. */
  readonly resetsAtMs: number | undefined
  /** Used of the tightest long window (a week or so), 0 without one. */
  readonly longUsedPercent: number
  /** A short window (five hours or so) is spent. */
  readonly shortSpent: boolean
  /** Windows do not end the account's service: it has credits. */
  readonly onCredits: boolean
  /** When this reading stops being true by itself, milliseconds since the epoch; infinite = never. */
  readonly validUntilMs: number
}

/** The standing of an account whose quota nobody has seen. */
const UNKNOWN_QUOTA: QuotaStanding = {
  remainingPercent: 100,
  resetsAtMs: undefined,
  longUsedPercent: 0,
  shortSpent: false,
  onCredits: false,
  validUntilMs: Number.POSITIVE_INFINITY,
}

/** What an account last said about its quota, and what that means now. */
export type QuotaState = { readonly snapshot: QuotaSnapshot | undefined; readonly standing: QuotaStanding }

/** Nothing was said yet. */
export const NO_QUOTA: QuotaState = { snapshot: undefined, standing: UNKNOWN_QUOTA }

/** Reads a snapshot at `nowMs`: a window whose reset has passed counts as full again. */
export function readStanding({ windows, credits }: QuotaSnapshot, nowMs: number): QuotaStanding {
  const live = windows.filter(window => resetMs(window) > nowMs)
  let tightest: QuotaWindow | undefined
  let validUntilMs = Number.POSITIVE_INFINITY
  for (const window of live) {
    if (window.usedPercent > (tightest?.usedPercent ?? -1)) tightest = window
    validUntilMs = Math.min(validUntilMs, resetMs(window))
  }
  const resetsAtMs = tightest === undefined ? Number.POSITIVE_INFINITY : resetMs(tightest)
  return {
    remainingPercent: Math.max(0, 100 - (tightest?.usedPercent ?? 0)),
    resetsAtMs: Number.isFinite(resetsAtMs) ? resetsAtMs : undefined,
    longUsedPercent: Math.max(0, ...live.filter(isLong).map(window => window.usedPercent)),
    shortSpent: live.some(window => window.windowSec <= SHORT_SEC && window.usedPercent >= 100),
    onCredits: credits !== undefined && (credits.unlimited || (credits.hasCredits && Number(credits.balance ?? 0) > 0)),
    validUntilMs,
  }
}

/** The band a policy sorts the account into, and when that changes by itself, milliseconds since the epoch. */
export type Band = { readonly band: number; readonly untilMs: number }

const FIRST_BAND: Band = { band: 0, untilMs: Number.POSITIVE_INFINITY }

/** Returns the account's band; policies that do not look at quota have one band only. */
export function bandOf(strategy: Strategy, standing: QuotaStanding, nowMs: number): Band {
  switch (strategy) {
    case "quota-balanced":
      return { band: bandOfRemaining(standing.remainingPercent), untilMs: Number.POSITIVE_INFINITY }
    case "soonest-reset":
      return bandOfReset(standing, nowMs)
    case "fill-first":
      return { band: isKept(standing) ? 1 : 0, untilMs: standing.validUntilMs }
    case "least-loaded":
    case "round-robin":
    case "least-used":
    case "weighted":
      return FIRST_BAND
  }
}

/** Share of the requests an account should get by what it has left; nothing left still gets the odd one. */
export function headroomOf({ remainingPercent }: QuotaStanding): number {
  return Math.max(1, remainingPercent) / 100
}

/** The last points of a window are spent one request at a time: what is under way may be worth more than is left. */
export function isNearlySpent({ remainingPercent, onCredits }: QuotaStanding): boolean {
  return remainingPercent <= LAST_POINTS && !onCredits
}

const LAST_POINTS = 5

/** New conversations go elsewhere while anyone else is free; credits have no ceiling. */
export function isOverCeiling({ remainingPercent, onCredits }: QuotaStanding, softCeilingPercent: number): boolean {
  return 100 - remainingPercent >= softCeilingPercent && !onCredits
}

function resetMs({ resetsAtSec }: QuotaWindow): number {
  return resetsAtSec === undefined ? Number.POSITIVE_INFINITY : resetsAtSec * 1000
}

function isLong({ windowSec }: QuotaWindow): boolean {
  return windowSec >= LONG_SEC
}

function bandOfRemaining(remainingPercent: number): number {
  return Math.min(BANDS - 1, Math.floor(((100 - remainingPercent) * BANDS) / 100))
}

/** Hours to the reset: what would be lost soonest is used first. The last band has no reset in sight, or nothing to lose. */
const RESET_BAND_HOURS: readonly number[] = [1, 2, 4, 8, 24, 72]

/**
 * Policies that use accounts up leave the last third of a window to the conversations that are there: they would all have
 * to move, and lose their caches, when new ones had spent it. Used by all once nobody else is free.
 */
const KEPT_PERCENT = 100 / 3

function isKept({ remainingPercent }: QuotaStanding): boolean {
  return remainingPercent <= KEPT_PERCENT
}

function bandOfReset(standing: QuotaStanding, nowMs: number): Band {
  const { resetsAtMs, validUntilMs } = standing
  if (resetsAtMs === undefined) return { band: RESET_BAND_HOURS.length, untilMs: validUntilMs }
  if (isKept(standing)) return { band: BANDS - 1, untilMs: validUntilMs }
  const leftMs = resetsAtMs - nowMs
  const band = RESET_BAND_HOURS.findIndex(hours => leftMs <= hours * HOUR_MS)
  if (band < 0) return { band: RESET_BAND_HOURS.length, untilMs: resetsAtMs - (RESET_BAND_HOURS.at(-1) ?? 0) * HOUR_MS }
  const lower = RESET_BAND_HOURS[band - 1]
  return { band, untilMs: lower === undefined ? resetsAtMs : resetsAtMs - lower * HOUR_MS }
}
