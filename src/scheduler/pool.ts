/** The members and where they stand: keeps classes, load lists and wake-up times in step with every axis. */

import type { Clock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import { type Classes, makeClasses } from "#scheduler/pick/classes.ts"
import { type LoadLists, makeLoadLists } from "#scheduler/pick/load-lists.ts"

import { isClosed, scopeName } from "./blocks.ts"
import { type Buckets, makeBuckets } from "./buckets.ts"
import { type Egresses, makeEgresses, wakeAt } from "./egresses.ts"
import { axisReason, egressOf, type Member, modelsIn, note } from "./member.ts"
import { makeRoster, type Roster } from "./roster.ts"
import type { TimerHeap } from "./timer-heap.ts"
import type { AccountFacts } from "./types.ts"

/** The pool's state and the only ways to change it. */
export type Pool = {
  readonly lists: LoadLists
  readonly classes: Classes
  readonly egresses: Egresses
  readonly buckets: Buckets
  /** Present members only. */
  readonly get: (id: AccountId) => Member | undefined
  readonly at: Roster["at"]
  readonly members: Roster["present"]
  readonly size: () => number
  /** Rises with every change of anybody's standing; loads do not count. */
  readonly version: () => number
  readonly upsert: (facts: AccountFacts) => Member
  readonly remove: (member: Member) => void
  /** Forgets a removed member once its last lease has ended. */
  readonly bury: (member: Member) => void
  /** Brings classes, lists and wake-up in line after any of the member's axes changed. */
  readonly refresh: (member: Member) => void
  /** Brings every member in line: after a change of the configured concurrency or of a bucket. */
  readonly refreshAll: () => void
}

/** Parts of the pool. */
export type PoolParts = {
  readonly clock: Clock
  readonly heap: TimerHeap
  readonly accountConcurrency: () => number
  /** Called after a refresh, when the member may have become free. */
  readonly mayBeFree: (member: Member) => void
}

/** Makes an empty pool. */
export function makePool(parts: PoolParts): Pool {
  const { clock, heap } = parts
  const lists = makeLoadLists()
  const buckets = makeBuckets()
  let version = 0

  const egresses = makeEgresses({ clock, heap, changed: egressChanged })
  const classes = makeClasses({ egressBlocked: egresses.isBlocked })
  const roster = makeRoster({ clock, heap, wake: member => refresh(member) })

  function egressChanged(name: string): void {
    version += 1
    classes.invalidate()
    for (const member of roster.present()) if (egressOf(member) === name) parts.mayBeFree(member)
  }

  function refresh(member: Member): void {
    version += 1
    if (!member.present) return
    endBlocks(member, parts)
    reclassify(member, { lists, classes, buckets })
    lists.setCap(member.index, member.facts.cap ?? parts.accountConcurrency())
    lists.setOpen(member.index, member.usable && !member.blocks.all().some(isTryingAccount))
    parts.mayBeFree(member)
  }

  return {
    lists,
    classes,
    egresses,
    buckets,
    get: roster.get,
    at: roster.at,
    members: roster.present,
    size: roster.size,
    version: () => version,
    upsert: facts => {
      const member = roster.add(facts)
      if (facts.credential === "fresh" && member.facts.credential !== "fresh") member.credentialSinceMs = clock()
      member.facts = facts
      refresh(member)
      return member
    },
    remove: member => {
      version += 1
      lists.setOpen(member.index, false)
      leaveClass(member, classes)
      roster.remove(member)
    },
    bury: member => {
      if (!member.present && lists.loadOf(member.index) === 0) roster.forget(member)
    },
    refresh,
    refreshAll: () => {
      for (const member of roster.present()) refresh(member)
    },
  }
}

function isTryingAccount(block: ReturnType<Member["blocks"]["all"]>[number]): boolean {
  return block.scope.type === "account" && block.phase === "trying"
}

function endBlocks(member: Member, { clock, heap }: PoolParts): void {
  const nowMs = clock()
  for (const { cause, scope } of member.blocks.runOut(nowMs)) {
    note(member, { atMs: nowMs, change: "block ended", detail: `${cause}, ${scopeName(scope)}` })
  }
  wakeAt(heap, member.wake, member.blocks.nextEndMs())
}

/** Moves the member to the class its axes ask for and counts it there if it is usable. */
function reclassify(member: Member, { lists, classes, buckets }: Pick<Pool, "lists" | "classes" | "buckets">): void {
  const blocks = member.blocks.all()
  const classId = classes.join({
    provider: member.facts.provider,
    egress: egressOf(member),
    models: member.models,
    stopped: modelsIn(member, "closed", buckets),
    held: modelsIn(member, "trying", buckets),
  })
  if (member.classId !== classId) lists.place(member.index, classId)
  // Joined before left: a class that keeps its only member is not torn down in between.
  leaveClass(member, classes)
  member.classId = classId
  member.usable =
    axisReason(member.facts) === undefined && !blocks.some(block => block.scope.type === "account" && isClosed(block))
  member.probing = blocks.some(block => !isClosed(block))
  if (member.usable) classes.addReady(classId, 1)
}

function leaveClass(member: Member, classes: Classes): void {
  if (member.classId === undefined) return
  if (member.usable) classes.addReady(member.classId, -1)
  member.usable = false
  classes.leave(member.classId)
  member.classId = undefined
}
