/** One timer for all accounts: wakes for the earliest due credential. */

import type { Credential } from "#core/account.ts"
import type { CancelTimer, Clock, Timers } from "#core/clock.ts"

import type { RefreshEntry } from "./refresh-entries.ts"
import { urgencyOf } from "./refresh-schedule.ts"

/** The planner. */
export type RefreshPlanner = {
  /** Something falls due at this time; wakes earlier when that is earlier. Undefined is ignored. */
  readonly note: (dueAtMs: number | undefined) => void
  readonly stop: () => void
}

/** Parts of the planner. */
export type RefreshPlannerParts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly entries: () => Iterable<RefreshEntry>
  /** Called for every enabled account that is due; may be called again for one that is on its way. */
  readonly start: (entry: RefreshEntry) => void
}

/**
 * Longest sleep. Far below the 2³¹ ms at which timers fire at once, and short enough to notice that the machine slept:
 * timers stand still then, the clock does not.
 */
const LONGEST_SLEEP_MS = 10 * 60_000

/** When the credential's access token expires; undefined = unknown or never. */
export function expiryOf(credential: Credential): number | undefined {
  return credential.type === "chatgpt" ? credential.expiresAtMs : undefined
}

/** Makes the planner; it sleeps until something is noted. */
export function makeRefreshPlanner({ clock, timers, entries, start }: RefreshPlannerParts): RefreshPlanner {
  let wakesAtMs = Number.POSITIVE_INFINITY
  let cancelTimer: CancelTimer | undefined

  const sleepUntil = (timeMs: number): void => {
    cancelTimer?.()
    const nowMs = clock()
    wakesAtMs = Math.max(nowMs, Math.min(timeMs, nowMs + LONGEST_SLEEP_MS))
    cancelTimer = timers.after(wakesAtMs - nowMs, wake)
  }
  const wake = (): void => {
    wakesAtMs = Number.POSITIVE_INFINITY
    cancelTimer = undefined
    const nowMs = clock()
    let nextMs = Number.POSITIVE_INFINITY
    const due: RefreshEntry[] = []
    for (const entry of entries()) {
      const { dueAtMs } = entry
      if (dueAtMs === undefined || entry.account.disabled) continue
      if (dueAtMs <= nowMs) due.push(entry)
      else nextMs = Math.min(nextMs, dueAtMs)
    }
    // Lost answers first: the sooner they are asked for again, the likelier the endpoint still accepts the token.
    const rankOf = ({ account }: RefreshEntry) => urgencyOf(expiryOf(account.credential), nowMs)
    due.sort((left, right) => right.lostAnswers - left.lostAnswers || rankOf(left) - rankOf(right))
    for (const entry of due) start(entry)
    if (nextMs !== Number.POSITIVE_INFINITY) sleepUntil(nextMs)
  }

  return {
    note: dueAtMs => {
      if (dueAtMs !== undefined && dueAtMs < wakesAtMs) sleepUntil(dueAtMs)
    },
    stop: () => {
      cancelTimer?.()
      wakesAtMs = Number.NEGATIVE_INFINITY
    },
  }
}
