/** Remembers which account served a conversation last and which one issued a turn state. A hint, never a rule. */

import type { AccountId } from "#core/ids.ts"

/** A bounded map; the entry unused for longest goes first. */
export type Sticky = {
  readonly get: (key: string) => AccountId | undefined
  readonly set: (key: string, account: AccountId) => void
}

/** Makes a map of at most `maxEntries`. */
export function makeSticky(maxEntries: number): Sticky {
  // Two generations instead of a linked list: a hit moves the entry to the young one, and when that is full the
  // old one is dropped whole. Deleting and re-inserting in one Map makes JavaScriptCore walk its tombstones.
  let young = new Map<string, AccountId>()
  let old = new Map<string, AccountId>()

  function set(key: string, account: AccountId): void {
    young.set(key, account)
    if (young.size * 2 < maxEntries) return
    old = young
    young = new Map()
  }

  return {
    get: key => {
      const fresh = young.get(key)
      if (fresh !== undefined) return fresh
      const aged = old.get(key)
      if (aged !== undefined) set(key, aged)
      return aged
    },
    set,
  }
}
