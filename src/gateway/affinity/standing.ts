/** Says how long an account that cannot be had right now will stay out. */

import type { AccountId } from "#core/ids.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"
import type { AccountView } from "#scheduler/types.ts"

/** `ready` is at most busy; `unready` comes back by itself, nobody knows when; `away` needs an operator. */
export type Standing =
  | { readonly type: "ready" | "unready" | "away" }
  | { readonly type: "resting"; readonly untilMs: number }

/** What finding out needs. */
export type StandingParts = { readonly scheduler: Pick<Scheduler, "viewOf"> }

/** Makes the function that says it for an account and a model's slug. */
export function makeStandings({ scheduler }: StandingParts): (account: AccountId, slug: string) => Standing {
  return (account, slug) => standingOf(scheduler.viewOf(account), slug)
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
