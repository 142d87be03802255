/** Gives accounts to requests: at once, after a wait in line, or not at all. */

import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { Member } from "#scheduler/members/member.ts"
import { wantedKey } from "#scheduler/pick/signature.ts"
import type { Pool } from "#scheduler/pool.ts"
import type { TimerHeap } from "#scheduler/timers/timer-heap.ts"
import type { Acquired, Demand, Lease, SchedulerLimits } from "#scheduler/types.ts"

import { type Choice, type Choices, makeChoices, NOBODY } from "./choice.ts"
import { type ExplainParts, explain } from "./explain.ts"
import { type Leases, makeLeases } from "./leases.ts"
import { busyRefusal, outageRefusal } from "./refusal.ts"
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
  /** 0 = a request may go; otherwise milliseconds until one may. */
  readonly admit: () => number
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
  readonly choices: Choices
}

/** Makes the dispatcher of a pool. */
export function makeDispatcher(parts: DispatcherParts): Dispatcher {
  const waiters = makeWaiters<Waiting>()
  const desk: Desk = {
    ...parts,
    waiters,
    leasesOf: makeLeases({
      clock: parts.clock,
      pool: parts.pool,
      anyoneWaits: () => waiters.size() > 0,
      returned: member => serve(desk, member),
    }),
    choices: makeChoices(parts),
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
  const outageMs = desk.admit()
  if (outageMs > 0) return { type: "refusal", error: outageRefusal(outageMs) }
  const account = desk.choices.pickNow(demand)
  if (account !== NOBODY) return { type: "lease", lease: grant(desk, account, demand) }
  const choice = desk.choices.chooseOther(demand)
  switch (choice.type) {
    case "grant":
      return { type: "lease", lease: grant(desk, choice.account, demand) }
    case "wait":
      return lineUp(desk, demand, choice)
    case "refusal":
      tell(desk, demand, choice)
      return choice
  }
}

/** Explained before it takes effect: afterwards the account is one request fuller. */
function grant(desk: Desk, account: number, demand: Demand): Lease {
  if (demand.explain !== undefined) tell(desk, demand, { type: "grant", account })
  return desk.leasesOf.grant(account, demand.model)
}

/** Offers the reasons; whoever does not want them costs no walk over the pool. */
function tell(desk: Desk, demand: Demand, choice: Choice): void {
  const decision = choice.type === "grant" ? "lease" : choice.type
  demand.explain?.(decision, () => explain(demand, choice, explainParts(desk)))
}

function explainParts({ pool, clock, waiters }: Desk): ExplainParts {
  return { pool, nowMs: clock(), waiting: waiters.size() }
}

function serve(desk: Desk, member: Member): void {
  const { waiters, pool } = desk
  while (waiters.size() > 0 && pool.shelves.isFree(member.index)) {
    const { id } = member.facts
    const next = waiters.takeFor(
      id,
      ({ demand }) =>
        (demand.only === undefined || demand.only === id) &&
        pool.classes.isIn(pool.classes.eligibility(demand).pickable, member.classId),
    )
    if (next === undefined) return
    leaveLine(desk, next)
    next.resolve(grant(desk, member.index, next.demand))
  }
}

function recheck(desk: Desk): void {
  if (desk.waiters.size() === 0) return
  // What holds for one in a lane holds for all in it that have tried nobody: a thousand need not be asked one by one.
  const busyLanes = new Set<string>()
  for (const waiting of desk.waiters.all()) {
    const isPlain = waiting.exclude.size === 0
    if (isPlain && busyLanes.has(waiting.lane)) continue
    const choice = desk.choices.choose(waiting.demand)
    if (choice.type === "refusal") {
      tell(desk, waiting.demand, choice)
      turnAway(desk, waiting, choice.error)
    } else if (choice.type === "grant") serveOutOfTurn(desk, waiting, choice.account)
    else if (isPlain && choice.for === "slot") busyLanes.add(waiting.lane)
  }
}

function serveOutOfTurn(desk: Desk, waiting: Waiting, account: number): void {
  if (!desk.waiters.remove(waiting)) return
  leaveLine(desk, waiting)
  waiting.resolve(grant(desk, account, waiting.demand))
}

function lineUp(desk: Desk, demand: Demand, choice: Choice): Acquired {
  const { waiters, clock, random } = desk
  const { queueMax, queueTimeoutMs, queueMaxPerKey = queueMax } = desk.limits()
  const nowMs = clock()
  const deadlineMs = Math.min(demand.deadlineMs, nowMs + queueTimeoutMs)
  const isFull = waiters.size() >= queueMax || waiters.sizeOf(demand.keyId) >= queueMaxPerKey
  if (deadlineMs <= nowMs || isFull) {
    const error = busyRefusal(deadlineMs <= nowMs ? "waited" : "queue-full", random)
    tell(desk, demand, { type: "refusal", error })
    return { type: "refusal", error }
  }
  tell(desk, demand, choice)
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
    lane: laneOf(demand),
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

/** Those who wait for one account are served by nobody else, so they stand in a lane of their own. */
function laneOf(demand: Demand): string {
  const kind = wantedKey(demand)
  return demand.only === undefined ? kind : `${kind}|${demand.only}`
}

function expire(desk: Desk, waiting: Waiting): void {
  const choice = desk.choices.choose(waiting.demand)
  const error = choice.type === "refusal" ? choice.error : busyRefusal("waited", desk.random)
  tell(desk, waiting.demand, { type: "refusal", error })
  turnAway(desk, waiting, error)
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
