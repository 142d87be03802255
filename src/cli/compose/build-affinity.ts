/** What the gateway remembers about who served what, and what keeps it over a restart. */

import { systemClock } from "#core/clock.ts"
import { makeAffinity } from "#gateway/affinity/affinity.ts"
import { makeStandings } from "#gateway/affinity/standing.ts"
import type { TurnParts } from "#gateway/turn/turn-parts.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"
import type { Store } from "#store/store.ts"

import { type BindingKeeper, makeBindingKeeper } from "./saved-bindings.ts"

/** The memory, its keeper, and how long an account that cannot be had stays out. */
export type BuiltAffinity = Pick<TurnParts, "affinity" | "standingOf"> & { readonly bindings: BindingKeeper }

/** Builds them; nothing is read before the keeper's `restore`. */
export function buildAffinity(store: Store, scheduler: Scheduler): BuiltAffinity {
  const affinity = makeAffinity({ clock: systemClock })
  return {
    affinity,
    bindings: makeBindingKeeper({ affinity, store }),
    standingOf: makeStandings({ scheduler }),
  }
}
