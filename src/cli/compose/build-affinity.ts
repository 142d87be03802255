/** What the gateway remembers about who served what, and what keeps it over a restart. */

import { systemClock } from "#core/clock.ts"
import { makeAffinity } from "#gateway/affinity/affinity.ts"
import type { TurnParts } from "#gateway/turn/turn-parts.ts"
import type { Store } from "#store/store.ts"

import { type BindingKeeper, makeBindingKeeper } from "./saved-bindings.ts"

/** The memory and its keeper. */
export type BuiltAffinity = Pick<TurnParts, "affinity"> & { readonly bindings: BindingKeeper }

/** Builds them; nothing is read before the keeper's `restore`. */
export function buildAffinity(store: Store): BuiltAffinity {
  const affinity = makeAffinity({ clock: systemClock })
  return { affinity, bindings: makeBindingKeeper({ affinity, store }) }
}
