/** Which account something belongs to: a conversation, a turn state, a piece of encrypted reasoning. */

import type { Clock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"

import type { AccountNumbers } from "./account-numbers.ts"
import { makeSlabLru, NOTHING, type SlabEntry } from "./slab-lru.ts"

/** A bounded memory of names, which are only kept as digests; what has been unused for longest goes first. */
export type Bindings = {
  /** Reading counts as a use. */
  readonly get: (name: string) => AccountId | undefined
  readonly set: (name: string, account: AccountId) => void
}

/** A binding as it is kept over a restart. */
export type KeptBinding = { readonly key: number; readonly accountId: AccountId; readonly usedAtMs: number }

/** What keeping bindings over a restart needs of them. */
export type KeepableBindings = Bindings & {
  readonly maxEntries: number
  readonly takeChanged: (maxEntries: number) => readonly KeptBinding[]
  /** In ascending order of last use. */
  readonly restore: (kept: readonly KeptBinding[]) => void
  /** What was last used before this moment is forgotten, here and wherever it is kept. */
  readonly horizonMs: () => number
  readonly expire: (maxEntries: number) => void
}

/** What bindings are made with. */
export type BindingsParts = {
  readonly clock: Clock
  readonly maxEntries: number
  readonly idleMs: number
  readonly numbers: AccountNumbers
}

const MASK_53_BITS = 0x1f_ffff_ffff_ffffn

/**
 * Eight bytes for a name of any length: a number that holds 53 bits of its hash. Not a secret and no proof: names that share a
 * digest would send a request to an account that may have to refuse it, which happens once in 10¹⁰ lookups of a full
 * memory. The algorithm must not change with the runtime, because digests are kept.
 */
function digestOf(name: string): number {
  return Number(Bun.hash.xxHash64(name) & MASK_53_BITS)
}

/** Makes an empty memory. */
export function makeBindings({ numbers, ...parts }: BindingsParts): KeepableBindings {
  const lru = makeSlabLru(parts)
  const keptOf = ({ key, value, usedAtMs }: SlabEntry): readonly KeptBinding[] => {
    const accountId = numbers.accountOf(value)
    return accountId === undefined ? [] : [{ key, accountId, usedAtMs }]
  }
  return {
    maxEntries: parts.maxEntries,
    get: name => {
      const number = lru.get(digestOf(name))
      return number === NOTHING ? undefined : numbers.accountOf(number)
    },
    set: (name, account) => lru.set(digestOf(name), numbers.numberOf(account)),
    takeChanged: maxEntries => lru.takeChanged(maxEntries).flatMap(keptOf),
    restore: kept => {
      for (const { key, accountId, usedAtMs } of kept) {
        lru.restore({ key, value: numbers.numberOf(accountId), usedAtMs })
      }
    },
    horizonMs: () => {
      const idleSinceMs = parts.clock() - parts.idleMs
      // A full memory has forgotten more than what was idle.
      return lru.size() < parts.maxEntries ? idleSinceMs : Math.max(idleSinceMs, lru.oldestUseMs() ?? 0)
    },
    expire: lru.expire,
  }
}
