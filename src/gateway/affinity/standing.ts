/** Says how long an account that cannot be had right now will stay out. */

import type { Clock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"
import type { AccountView } from "#scheduler/types.ts"

/** `ready` is at most busy; `unready` comes back by itself, nobody knows when; `away` needs an operator. */
export type Standing =
  | { readonly type: "ready" | "unready" | "away" }
  | { readonly type: "resting"; readonly untilMs: number }

/** What finding out needs. */
export type StandingParts = { readonly clock: Clock; readonly scheduler: Pick<Scheduler, "view" | "isUsable"> }

/** The scheduler shows all accounts or none, which costs milliseconds in a large pool: one look serves several requests. */
const LOOK_AGAIN_MS = 100

/** Makes the function that says it for an account and a model's slug. */
export function makeStandings({ clock, scheduler }: StandingParts): (account: AccountId, slug: string) => Standing {
  let seen: ReadonlyMap<AccountId, AccountView> = new Map()
  let seenAtMs = Number.NEGATIVE_INFINITY

  function look(): void {
    seen = new Map(scheduler.view().map(row => [row.id, row]))
    seenAtMs = clock()
  }

  return (account, slug) => {
    const isFresh = clock() - seenAtMs < LOOK_AGAIN_MS
    if (!isFresh) look()
    const standing = standingOf(seen.get(account), slug)
    // Something has happened to it since: what is refused now was fine at the last look.
    if (!isFresh || standing.type !== "ready" || scheduler.isUsable(account)) return standing
    look()
    return standingOf(seen.get(account), slug)
  }
}

function standingOf(row: AccountView | undefined, slug: string): Standing {
  if (row === undefined || row.lifecycle !== "enabled") return { type: "away" }
  if (row.credential === "expired" || row.credential === "uncertain") return { type: "unready" }
  // Which models a named quota covers is the scheduler's knowledge; an account that could serve would not be asked about.
  const untilMs = row.blocks
    .filter(({ scope }) => scope.type !== "model" || scope.model === slug)
    .map(block => block.untilMs)
  return untilMs.length === 0 ? { type: "ready" } : { type: "resting", untilMs: Math.max(...untilMs) }
}
