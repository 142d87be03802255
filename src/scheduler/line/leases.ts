/** Slots in use: given out, probed with, and given back exactly once. */

import type { Clock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import type { Member } from "#scheduler/members/member.ts"
import type { Pool } from "#scheduler/pool.ts"
import type { Lease } from "#scheduler/types.ts"

/** The book of slots. */
export type Leases = {
  /** Takes a slot of the account with this number for a request of the model. */
  readonly grant: (account: number, model: string) => Lease
  readonly count: () => number
}

/** Parts of the book. */
export type LeasesParts = {
  readonly clock: Clock
  readonly pool: Pool
  /** True when somebody waits for a slot. */
  readonly anyoneWaits: () => boolean
  /** Called when a slot has come back that somebody may wait for. */
  readonly returned: (member: Member) => void
}

type Book = LeasesParts & { count: number; probeCount: number }

/** Makes an empty book. */
export function makeLeases(parts: LeasesParts): Leases {
  const book: Book = { ...parts, count: 0, probeCount: 0 }
  const { clock, pool } = parts

  return {
    grant: (account, model) => {
      const nowMs = clock()
      pool.shelves.take(account, nowMs)
      book.count += 1
      const probe = pool.shelves.isProbing(account) ? startProbe(book, account, model) : 0
      return new Slot(book, account, { acquiredAtMs: nowMs, probe })
    },
    count: () => book.count,
  }
}

/** A class because a slot is a resource with a lifetime, and its one method costs no closure a request. */
class Slot implements Lease {
  readonly account: AccountId
  readonly acquiredAtMs: number
  readonly #book: Book
  readonly #index: number
  readonly #probe: number
  #held = true

  constructor(book: Book, index: number, facts: { readonly acquiredAtMs: number; readonly probe: number }) {
    this.account = book.pool.idAt(index)
    this.acquiredAtMs = facts.acquiredAtMs
    this.#book = book
    this.#index = index
    this.#probe = facts.probe
  }

  release(): void {
    if (!this.#held) return
    this.#held = false
    giveBack(this.#book, this.#index, this.#probe)
  }
}

/** Returns the number of the probe, 0 when there was nothing to prove. */
function startProbe(book: Book, account: number, model: string): number {
  const { pool } = book
  const member = pool.at(account)
  book.probeCount += 1
  if (member?.blocks.startProbe(book.probeCount, block => pool.buckets.concerns(block, model)) !== true) return 0
  pool.refresh(member)
  return book.probeCount
}

function giveBack(book: Book, account: number, probe: number): void {
  const { pool } = book
  pool.shelves.give(account)
  book.count -= 1
  // The usual case ends here, without a look at the member.
  if (probe === 0 && !pool.shelves.isGone(account) && !book.anyoneWaits()) return
  const member = pool.at(account)
  if (member === undefined) return
  if (!member.present) pool.bury(member)
  else if (probe > 0 && member.blocks.endProbe(probe)) pool.refresh(member)
  else book.returned(member)
}
