/** Gives accounts to requests: at once, after a wait in line, or not at all. */

import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { hasClass } from "#scheduler/pick/class-mask.ts"
import { wantedKey } from "#scheduler/pick/classes.ts"

import { type Choice, makeChoice } from "./choice.ts"
import { type Leases, makeLeases } from "./leases.ts"
import type { Member } from "./member.ts"
import type { Pool } from "./pool.ts"
import { busyRefusal } from "./refusal.ts"
import type { TimerHeap } from "./timer-heap.ts"
import type { Acquired, Demand, Lease, SchedulerLimits } from "./types.ts"
import { makeWaiters, type Waiter, type Waiters } from "./waiters.ts"

/** Hands out leases. */
export type Dispatcher = {
  readonly acquire: (demand: Demand) => Acquired
  /** Gives the member's free slots to those in line whose turn it is. */
  readonly serve: (member: Member) => void
  /** Answers those in line for whom waiting has become pointless. Call after anything got worse. */
  readonly recheck: () => void
  readonly leases: () => number
  readonly waiting: () => number
}

/** Parts of the dispatcher; `random` is in [0, 1). */
export type DispatcherParts = {
  readonly clock: Clock
  readonly heap: TimerHeap
  readonly random: () => number
  readonly pool: Pool
  readonly limits: () => SchedulerLimits
}

type Waiting = Waiter & {
  readonly demand: Demand
  readonly timer: number
  readonly stopListening: () => void
  readonly resolve: (lease: Lease) => void
  readonly reject: (error: GatewayError) => void
}

type Desk = DispatcherParts & {
  readonly waiters: Waiters<Waiting>
  readonly leasesOf: Leases
  readonly choose: (demand: Demand) => Choice
}

/** Makes the dispatcher of a pool. */
export function makeDispatcher(parts: DispatcherParts): Dispatcher {
  const desk: Desk = {
    ...parts,
    waiters: makeWaiters<Waiting>(),
    leasesOf: makeLeases({ clock: parts.clock, pool: parts.pool, returned: member => serve(desk, member) }),
    choose: makeChoice(parts),
  }
  return {
    acquire: demand => acquire(desk, demand),
    serve: member => serve(desk, member),
    recheck: () => recheck(desk),
    leases: desk.leasesOf.count,
    waiting: desk.waiters.size,
  }
}

function acquire(desk: Desk, demand: Demand): Acquired {
  if (demand.signal?.aborted) return { type: "refusal", error: clientGone() }
  const choice = desk.choose(demand)
  switch (choice.type) {
    case "grant":
      return { type: "lease", lease: desk.leasesOf.grant(choice.member, demand.model) }
    case "wait":
      return lineUp(desk, demand)
    case "refusal":
      return choice
  }
}

function serve(desk: Desk, member: Member): void {
  const { waiters, pool } = desk
  while (waiters.size() > 0 && pool.lists.isFree(member.index)) {
    const next = waiters.takeFor(member.facts.id, ({ demand: { model, providers } }) =>
      hasClass(pool.classes.eligibility({ model, providers }).pickable, member.classId),
    )
    if (next === undefined) return
    leaveLine(desk, next)
    next.resolve(desk.leasesOf.grant(member, next.demand.model))
  }
}

function recheck(desk: Desk): void {
  if (desk.waiters.size() === 0) return
  for (const waiting of desk.waiters.all()) {
    const choice = desk.choose(waiting.demand)
    if (choice.type === "refusal") turnAway(desk, waiting, choice.error)
    else if (choice.type === "grant" && desk.waiters.remove(waiting)) {
      leaveLine(desk, waiting)
      waiting.resolve(desk.leasesOf.grant(choice.member, waiting.demand.model))
    }
  }
}

function lineUp(desk: Desk, demand: Demand): Acquired {
  const { waiters, clock, random } = desk
  const { queueMax, queueTimeoutMs, queueMaxPerKey = queueMax } = desk.limits()
  const nowMs = clock()
  const deadlineMs = Math.min(demand.deadlineMs, nowMs + queueTimeoutMs)
  if (deadlineMs <= nowMs) return { type: "refusal", error: busyRefusal("waited", random) }
  if (waiters.size() >= queueMax || waiters.sizeOf(demand.keyId) >= queueMaxPerKey) {
    return { type: "refusal", error: busyRefusal("queue-full", random) }
  }
  return enqueue(desk, demand, deadlineMs)
}

function enqueue(desk: Desk, demand: Demand, deadlineMs: number): Acquired {
  const { promise, resolve, reject } = Promise.withResolvers<Lease>()
  // Whoever cancels may have stopped listening; every other rejection reaches the caller through `lease`.
  promise.catch(() => undefined)
  let granted: Lease | undefined
  const cancel = () => {
    // The slot may have been handed over in this very turn of the event loop, with nobody left to use it.
    granted?.release()
    turnAway(desk, waiting, clientGone())
  }
  const waiting: Waiting = {
    keyId: demand.keyId,
    lane: wantedKey({ model: demand.model, providers: demand.providers }),
    exclude: demand.exclude,
    demand,
    timer: desk.heap.add(() => expire(desk, waiting)),
    stopListening: () => demand.signal?.removeEventListener("abort", cancel),
    resolve: lease => {
      granted = lease
      resolve(lease)
    },
    reject,
  }
  demand.signal?.addEventListener("abort", cancel, { once: true })
  desk.heap.set(waiting.timer, deadlineMs)
  desk.waiters.add(waiting)
  return { type: "wait", lease: promise, cancel }
}

function expire(desk: Desk, waiting: Waiting): void {
  const choice = desk.choose(waiting.demand)
  turnAway(desk, waiting, choice.type === "refusal" ? choice.error : busyRefusal("waited", desk.random))
}

function turnAway(desk: Desk, waiting: Waiting, error: GatewayError): void {
  if (!desk.waiters.remove(waiting)) return
  leaveLine(desk, waiting)
  waiting.reject(error)
}

function leaveLine(desk: Desk, waiting: Waiting): void {
  desk.heap.remove(waiting.timer)
  waiting.stopListening()
}

function clientGone(): GatewayError {
  return new GatewayError("cancelled", "The client went away.")
}
