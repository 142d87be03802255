/** What the gateway remembers about who served what, and what keeps it over a restart. */

import type { Tenure } from "#cli/takeover/tenure.ts"
import type { Config } from "#config/config.ts"
import { systemClock } from "#core/clock.ts"
import { type Affinity, makeAffinity } from "#gateway/affinity/affinity.ts"
import { makeResponseMemory, type ResponseMemory } from "#gateway/memory/response-memory.ts"
import type { Store } from "#store/store.ts"

import { type BindingKeeper, makeBindingKeeper } from "./saved-bindings.ts"

/** The memory, its keeper, and what clients may continue. */
export type BuiltAffinity = {
  readonly affinity: Affinity
  readonly memory: ResponseMemory
  readonly bindings: BindingKeeper
}

/** What they are built from. */
export type BuildAffinityParts = {
  readonly config: () => Config
  readonly store: Store
  readonly tenure: Tenure
}

/** Builds them; nothing is read before the keeper's `restore`. */
export function buildAffinity({ config, store, tenure }: BuildAffinityParts): BuiltAffinity {
  const affinity = makeAffinity({ clock: systemClock })
  return {
    affinity,
    bindings: makeBindingKeeper({ affinity, store }),
    memory: makeResponseMemory(systemClock, () => config().responseMemory, {
      remembered: pack => {
        if (tenure.phase() !== "ours") tenure.tell({ type: "response", response: pack() })
      },
    }),
  }
}
