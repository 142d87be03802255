/** Bills of requests that the process before this one still carries: what they held counts here until they have ended. */

import type { Clock } from "#core/clock.ts"

import { type Amounts, addAmounts, noAmounts } from "./amounts.ts"
import type { KeyBill } from "./key-bill.ts"
import type { KeyEntry, KeyRing } from "./key-ring.ts"

/** Takes such bills. */
export type CarriedBills = {
  readonly take: (bill: KeyBill) => void
  /** The other process is gone: what is still held counts as used, because nobody will know better. */
  readonly end: () => void
}

/** What taking them needs. */
export type CarriedBillsParts = {
  readonly clock: Clock
  readonly ring: Pick<KeyRing, "all" | "get">
  readonly changed: (entry: KeyEntry) => void
}

/** Begins with what the keys have reserved now, which is all of the other process. */
export function makeCarriedBills({ clock, ring, changed }: CarriedBillsParts): CarriedBills {
  const carried = new Map<string, Amounts>()
  for (const { key, meter } of ring.all()) {
    const held = noAmounts()
    addAmounts(held, meter.reserved())
    if (held.requests > 0) carried.set(key.id, held)
  }
  return {
    take: ({ keyId, held, used, isCarried }) => {
      const entry = ring.get(keyId)
      if (entry === undefined) return
      const rest = isCarried ? carried.get(keyId) : undefined
      if (rest !== undefined) addAmounts(rest, held, -1)
      entry.meter.settle(rest === undefined ? noAmounts() : held, used, clock())
      changed(entry)
    },
    end: () => {
      for (const [keyId, rest] of carried) {
        const entry = ring.get(keyId)
        if (entry === undefined || rest.requests <= 0) continue
        entry.meter.settle(rest, { ...rest, isEstimate: true }, clock())
        changed(entry)
      }
      carried.clear()
    },
  }
}
