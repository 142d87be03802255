/** What accounts' health and concurrency are judged by, as plain values for the store, and back. */

import type { AccountId } from "#core/ids.ts"
import type { Pool } from "#scheduler/pool.ts"
import type { Transition } from "#scheduler/types.ts"

import type { HealthFailure, History } from "./history.ts"

/** One account's health. `null` and absent stand for never, or for nothing. Times in milliseconds since the epoch. */
export type HealthRow = {
  readonly accountId: AccountId
  readonly failedAtMs: Readonly<Record<HealthFailure, number | null>>
  readonly newest?: HealthFailure | null
  readonly failureStreak: number
  readonly successStreak: number
  readonly served: number
  readonly results: number
  readonly resultCount: number
  readonly latencyMs?: number | null
  /** What the upstream was found to bear; null = it has not complained. */
  readonly learnedLimit?: number | null
  readonly holdUntilMs: number
}

/** A change in an account's state, with the account. */
export type AccountTransition = Transition & { readonly accountId: AccountId }

/** Returns those that have changed since they were taken last, at most `maxRows`. */
export function takeChangedHealth(pool: Pool, maxRows: number): readonly HealthRow[] {
  const rows: HealthRow[] = []
  for (const { history, learned, facts } of pool.members()) {
    if (history.changes === history.takenChanges) continue
    if (rows.length >= maxRows) break
    history.takenChanges = history.changes
    const { failedAtMs, newest = null, latencyMs = null } = history
    const { failureStreak, successStreak, served, results, resultCount } = history
    rows.push({
      accountId: facts.id,
      failedAtMs: {
        auth: timeOrNull(failedAtMs.auth),
        "rate-limit": timeOrNull(failedAtMs["rate-limit"]),
        timeout: timeOrNull(failedAtMs.timeout),
        server: timeOrNull(failedAtMs.server),
        other: timeOrNull(failedAtMs.other),
      },
      newest,
      ...{ failureStreak, successStreak, served, results, resultCount, latencyMs },
      learnedLimit: timeOrNull(learned.limit),
      holdUntilMs: learned.holdUntilMs,
    })
  }
  return rows
}

/** Puts kept health back on accounts that are known by now and have served nothing since. */
export function restoreHealth(pool: Pool, rows: readonly HealthRow[]): void {
  for (const row of rows) {
    const member = pool.get(row.accountId)
    if (member === undefined || member.history.changes > 0) continue
    const { failureStreak, successStreak, served, results, resultCount } = row
    const never = Number.NEGATIVE_INFINITY
    const kept: Partial<History> = {
      failedAtMs: {
        auth: row.failedAtMs.auth ?? never,
        "rate-limit": row.failedAtMs["rate-limit"] ?? never,
        timeout: row.failedAtMs.timeout ?? never,
        server: row.failedAtMs.server ?? never,
        other: row.failedAtMs.other ?? never,
      },
      newest: row.newest ?? undefined,
      ...{ failureStreak, successStreak, served, results, resultCount },
      latencyMs: row.latencyMs ?? undefined,
    }
    Object.assign(member.history, kept)
    member.learned.limit = row.learnedLimit ?? Number.POSITIVE_INFINITY
    member.learned.holdUntilMs = row.holdUntilMs
    pool.refresh(member)
  }
}

/** Returns the changes of state from `fromMs` up to, but without, `untilMs`. */
export function transitionsBetween(pool: Pool, fromMs: number, untilMs: number): readonly AccountTransition[] {
  const found: AccountTransition[] = []
  for (const { facts, transitions } of pool.members()) {
    // The newest is the last: the usual account is passed over at once.
    if ((transitions.at(-1)?.atMs ?? 0) < fromMs) continue
    for (const transition of transitions) {
      if (transition.atMs >= fromMs && transition.atMs < untilMs) found.push({ ...transition, accountId: facts.id })
    }
  }
  return found
}

function timeOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
