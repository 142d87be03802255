/** Who is in the pool: members by id and by number. A removed one stays on file until its last lease has ended. */

import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import { makeHistory } from "#scheduler/health/history.ts"
import { makeLearnedCap } from "#scheduler/health/learned-cap.ts"
import { makePaces, type Paces } from "#scheduler/health/paces.ts"
import type { Shelves } from "#scheduler/pick/shelves.ts"
import type { TimerHeap } from "#scheduler/timers/timer-heap.ts"
import type { AccountFacts } from "#scheduler/types.ts"

import { type Member, makeMember, note } from "./member.ts"
import { NO_QUOTA } from "./quota-standing.ts"

/** The files. */
export type Roster = {
  /** Returns the present member with this id. */
  readonly get: (id: AccountId) => Member | undefined
  /** Number of the account, removed ones with leases included; undefined for an unknown one. Touches no member. */
  readonly numberOf: (id: AccountId) => number | undefined
  readonly at: (index: number) => Member | undefined
  /** Id of the member with this number, removed ones included; the number must be in use. */
  readonly idAt: (index: number) => AccountId
  readonly present: () => Iterable<Member>
  readonly size: () => number
  /** How fast those who are present begin to answer. */
  readonly paces: Paces
  /** Returns the member with this id: known, back again, or new with these facts. */
  readonly add: (facts: AccountFacts) => Member
  readonly remove: (member: Member) => void
  /** Gives the number of a removed member back. */
  readonly forget: (member: Member) => void
}

/** Parts of the roster. */
export type RosterParts = {
  readonly clock: Clock
  readonly heap: TimerHeap
  readonly shelves: Shelves
  /** Runs at the time set for a member's wake-up handle. */
  readonly wake: (member: Member) => void
}

/** Makes an empty roster. */
export function makeRoster({ clock, heap, shelves, wake }: RosterParts): Roster {
  const numbers = new Map<AccountId, number>()
  const byIndex: (Member | undefined)[] = []
  // Apart from the members: handing out an account touches nothing of its member.
  const ids: AccountId[] = []
  const freeIndexes: number[] = []
  const paces = makePaces()
  let presentCount = 0

  function enter(facts: AccountFacts): Member {
    const index = freeIndexes.pop() ?? byIndex.length
    const member: Member = makeMember(facts, { index, wake: heap.add(() => wake(member)) })
    byIndex[index] = member
    ids[index] = facts.id
    shelves.enter(index)
    numbers.set(facts.id, index)
    return member
  }

  function* present(): Iterable<Member> {
    for (const index of numbers.values()) {
      const member = byIndex[index]
      if (member?.present) yield member
    }
  }

  function known(id: AccountId): Member | undefined {
    const index = numbers.get(id)
    return index === undefined ? undefined : byIndex[index]
  }

  return {
    get: id => {
      const member = known(id)
      return member?.present ? member : undefined
    },
    numberOf: id => numbers.get(id),
    at: index => byIndex[index],
    idAt: index => {
      const id = ids[index]
      if (id === undefined) throw new GatewayError("internal", "The scheduler has lost an account.")
      return id
    },
    present,
    size: () => presentCount,
    paces,
    add: facts => {
      const member = known(facts.id) ?? enter(facts)
      if (member.present) return member
      member.present = true
      presentCount += 1
      note(member, { atMs: clock(), change: "added", detail: facts.lifecycle })
      return member
    },
    remove: member => {
      member.present = false
      presentCount -= 1
      paces.moved(member.history.latencyMs, undefined)
      // Whoever comes back starts anew, whether or not an old lease kept the file open.
      member.models = undefined
      member.credentialSinceMs = 0
      member.quota = NO_QUOTA
      member.tier = { tier: "healthy", sinceMs: 0 }
      Object.assign(member.history, makeHistory())
      Object.assign(member.learned, makeLearnedCap())
      member.blocks.clear({}, () => true)
      member.strikes.clear()
      heap.clear(member.wake)
    },
    forget: member => {
      numbers.delete(member.facts.id)
      heap.remove(member.wake)
      byIndex[member.index] = undefined
      freeIndexes.push(member.index)
    },
  }
}
