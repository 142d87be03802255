/** At this pace until when: from readings of the last hours, and only where there are enough of them. */

import type { AccountId } from "#core/ids.ts"
import type { QuotaSnapshot } from "#core/upstream.ts"

import type { QuotaHistory, QuotaReading } from "./quota-history.ts"
import { type NamedWindow, windowsOf } from "./quota-windows.ts"

/** How fast a window fills up. */
export type Pace = {
  readonly percentPerHour: number
  /** When it will be full, resets left aside; undefined = never, at this pace. */
  readonly fullAtMs: number | undefined
}

/** A window with its pace; undefined = too few readings to say. */
export type WindowForecast = NamedWindow & { readonly pace: Pace | undefined }

/** All accounts' windows of one length together. */
export type PoolForecast = {
  readonly windowSec: number
  /** Accounts that have such a window, and those among them whose pace is known. */
  readonly accounts: number
  readonly measured: number
  readonly remainingPercent: number
  /** Points of one account's window, summed over the accounts; undefined = not every account's pace is known. */
  readonly pace: Pace | undefined
}

const HOUR_MS = 3_600_000
/** How far back counts: longer ago says little about now. */
const LOOK_BACK_MS = 3 * HOUR_MS
/** Fewer readings, or a shorter time between them, are no pace. */
const MIN_READINGS = 4
const MIN_SPAN_MS = 15 * 60_000
/** Stated resets wander by seconds within one window. */
const SAME_RESET_SEC = 300

/** Foretells an account's windows. Each reading that has a pace has it from the last three hours since its reset. */
export function forecastOf(
  id: AccountId,
  quota: QuotaSnapshot,
  { history, nowMs }: { readonly history: Pick<QuotaHistory, "of">; readonly nowMs: number },
): readonly WindowForecast[] {
  const known = history.of(id)
  return windowsOf(quota).map(window => {
    const found = known.find(one => one.bucket === window.bucket && one.windowSec === window.windowSec)
    return { ...window, pace: paceOf(found?.readings ?? [], window, nowMs) }
  })
}

/** Adds up the main windows of all accounts, by length, the shortest first. */
export function poolForecast(
  forecasts: readonly (readonly WindowForecast[])[],
  nowMs: number,
): readonly PoolForecast[] {
  const main = forecasts.flat().filter(({ bucket }) => bucket === undefined)
  const byLength = Map.groupBy(main, ({ windowSec }) => windowSec)
  return [...byLength]
    .sort(([one], [other]) => one - other)
    .map(([windowSec, windows]) => {
      const paces = windows.flatMap(({ pace }) => pace ?? [])
      const left = windows.reduce((sum, { usedPercent }) => sum + 100 - usedPercent, 0)
      const percentPerHour = paces.reduce((sum, pace) => sum + pace.percentPerHour, 0)
      return {
        windowSec,
        accounts: windows.length,
        measured: paces.length,
        remainingPercent: left / windows.length,
        // A pool of which a part is unknown might last for ever, or not.
        pace: paces.length === windows.length ? paceTo(left, percentPerHour, nowMs) : undefined,
      }
    })
}

function paceOf(readings: readonly QuotaReading[], window: NamedWindow, nowMs: number): Pace | undefined {
  const run = currentRun(readings, window).filter(({ atMs }) => nowMs - atMs <= LOOK_BACK_MS)
  const first = run[0]
  if (first === undefined || run.length < MIN_READINGS || nowMs - first.atMs < MIN_SPAN_MS) return undefined
  const percentPerHour = ((window.usedPercent - first.usedPercent) / (nowMs - first.atMs)) * HOUR_MS
  return percentPerHour < 0 ? undefined : paceTo(100 - window.usedPercent, percentPerHour, nowMs)
}

/** The newest readings between which nothing was reset. */
function currentRun(readings: readonly QuotaReading[], { resetsAtSec }: NamedWindow): readonly QuotaReading[] {
  let start = readings.length
  let laterPercent = Number.POSITIVE_INFINITY
  for (const reading of readings.toReversed()) {
    const isOther =
      resetsAtSec !== undefined &&
      reading.resetsAtSec !== undefined &&
      Math.abs(resetsAtSec - reading.resetsAtSec) > SAME_RESET_SEC
    if (isOther || reading.usedPercent > laterPercent) break
    laterPercent = reading.usedPercent
    start -= 1
  }
  return readings.slice(start)
}

function paceTo(leftPercent: number, percentPerHour: number, nowMs: number): Pace {
  const fullAtMs = percentPerHour > 0 ? nowMs + (leftPercent / percentPerHour) * HOUR_MS : undefined
  return { percentPerHour, fullAtMs }
}
