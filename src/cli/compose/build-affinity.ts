/** What the gateway remembers about who served what, and what keeps it over a restart. */

import type { Config } from "#config/config.ts"
import { systemClock } from "#core/clock.ts"
import { makeAffinity } from "#gateway/affinity/affinity.ts"
import { makeResponseMemory } from "#gateway/memory/response-memory.ts"
import type { TurnParts } from "#gateway/turn/turn-parts.ts"
import type { Store } from "#store/store.ts"

import { type BindingKeeper, makeBindingKeeper } from "./saved-bindings.ts"

/** The memory, its keeper, and what clients may continue. */
export type BuiltAffinity = Pick<TurnParts, "affinity" | "memory"> & {
  readonly bindings: BindingKeeper
}

/** What they are built from. */
export type BuildAffinityParts = {
  readonly config: () => Config
  readonly store: Store
}

/** Builds them; nothing is read before the keeper's `restore`. */
export function buildAffinity({ config, store }: BuildAffinityParts): BuiltAffinity {
  const affinity = makeAffinity({ clock: systemClock })
  return {
    affinity,
    bindings: makeBindingKeeper({ affinity, store }),
    memory: makeResponseMemory(systemClock, () => config().responseMemory),
  }
}
