/** Keeps over a restart which account serves what. */

import type { Affinity } from "#gateway/affinity/affinity.ts"
import type { KeepableBindings, KeptBinding } from "#gateway/affinity/bindings.ts"
import type { Store } from "#store/store.ts"

/** What keeping bindings needs. */
export type BindingKeeperParts = {
  readonly affinity: Affinity
  readonly store: Pick<Store, "saveBindings" | "listBindings" | "deleteOldBindings">
}

/** Reads and writes the bindings. */
export type BindingKeeper = {
  /** Puts back what was kept and is not idle for too long. Call once, before the first request. */
  readonly restore: () => void
  /** Writes a part of what has changed and forgets a part of what is idle: a call takes a few milliseconds at most. */
  readonly save: () => void
  /** Writes what has changed, for the stop: all of it unless there is so much that the stop would take seconds. */
  readonly saveAll: () => void
}

/** Rows written, and deleted, in one go; what is over waits for the next round. */
const ROWS_A_ROUND = 1_000
const ROUNDS_AT_STOP = 20
/** Entries a round drops from memory. Whatever comes in sweeps as well. */
const EXPIRED_A_ROUND = 1_000

/** Makes the keeper. */
export function makeBindingKeeper({ affinity, store }: BindingKeeperParts): BindingKeeper {
  const memories = Object.entries(affinity)
  /** Taken out and not yet written: a store that was busy gets them again. */
  const unwritten = new Map<string, readonly KeptBinding[]>()

  /** False when there was nothing to write. */
  function write(kind: string, memory: KeepableBindings): boolean {
    const changed = unwritten.get(kind) ?? memory.takeChanged(ROWS_A_ROUND)
    if (changed.length === 0) return false
    unwritten.set(kind, changed)
    store.saveBindings(kind, changed)
    unwritten.delete(kind)
    return true
  }

  return {
    restore: () => {
      for (const [kind, memory] of memories) {
        memory.restore(store.listBindings(kind, { sinceMs: memory.horizonMs(), maxRows: memory.maxEntries }))
      }
    },
    save: () => {
      for (const [kind, memory] of memories) {
        memory.expire(EXPIRED_A_ROUND)
        write(kind, memory)
        store.deleteOldBindings(kind, { beforeMs: memory.horizonMs(), maxRows: ROWS_A_ROUND })
      }
    },
    saveAll: () => {
      for (const [kind, memory] of memories) {
        for (let round = 0; round < ROUNDS_AT_STOP && write(kind, memory); round += 1);
      }
    },
  }
}
