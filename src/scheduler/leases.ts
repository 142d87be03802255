/** Slots in use: given out, probed with, and given back exactly once. */

import type { Clock } from "#core/clock.ts"

import type { Member } from "./member.ts"
import type { Pool } from "./pool.ts"
import type { Lease } from "./types.ts"

/** The book of slots. */
export type Leases = {
  /** Takes a slot of the member for a request of the model. */
  readonly grant: (member: Member, model: string) => Lease
  readonly count: () => number
}

/** Parts of the book. */
export type LeasesParts = {
  readonly clock: Clock
  readonly pool: Pool
  /** Called when a slot has come back. */
  readonly returned: (member: Member) => void
}

/** Makes an empty book. */
export function makeLeases({ clock, pool, returned }: LeasesParts): Leases {
  let count = 0
  let probeCount = 0

  /** Returns the number of the probe, 0 when there was nothing to prove. */
  function startProbe(member: Member, model: string): number {
    probeCount += 1
    if (!member.blocks.startProbe(probeCount, block => pool.buckets.concerns(block, model))) return 0
    const probe = probeCount
    pool.refresh(member)
    return probe
  }

  function giveBack(member: Member, probe: number): void {
    pool.lists.give(member.index)
    count -= 1
    if (!member.present) pool.bury(member)
    else if (probe > 0 && member.blocks.endProbe(probe)) pool.refresh(member)
    else returned(member)
  }

  return {
    grant: (member, model) => {
      pool.lists.take(member.index)
      count += 1
      const nowMs = clock()
      member.lastUsedAtMs = nowMs
      const probe = member.probing ? startProbe(member, model) : 0
      let released = false
      return {
        account: member.facts.id,
        acquiredAtMs: nowMs,
        release: () => {
          if (released) return
          released = true
          giveBack(member, probe)
        },
      }
    },
    count: () => count,
  }
}
