/** Decides what becomes of a request: an account now, a place in line, or a refusal. Changes nothing. */

import type { Clock } from "#core/clock.ts"
import type { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import type { Eligibility } from "#scheduler/pick/classes.ts"
import type { Pool } from "#scheduler/pool.ts"
import type { Demand } from "#scheduler/types.ts"

import { makeOutlooks, type Outlook } from "./outlook.ts"
import { refusalFor } from "./refusal.ts"

/** The decision; accounts go by their numbers. */
export type Choice =
  | { readonly type: "grant"; readonly account: number }
  /** `slot`: accounts are there and busy. `burst`: one is back in a moment. */
  | { readonly type: "wait"; readonly for: "slot" | "burst" }
  | { readonly type: "refusal"; readonly error: GatewayError }

/** How a request is decided. */
export type Choices = {
  /** Returns the account that can serve at once, {@link NOBODY} when there is none. The usual case; makes no garbage. */
  readonly pickNow: (demand: Demand) => number
  /** Decides about a request for which `pickNow` has found nobody. */
  readonly chooseOther: (demand: Demand) => Choice
  /** Both in turn. */
  readonly choose: (demand: Demand) => Choice
}

/** The number of no account. */
export const NOBODY = -1

/** A burst ends within seconds: waiting for it beats refusing, as long as it ends this soon. */
const BURST_PATIENCE_MS = 10_000

const WAIT_FOR_SLOT: Choice = { type: "wait", for: "slot" }
const WAIT_FOR_BURST: Choice = { type: "wait", for: "burst" }

/** Makes the functions that decide. */
export function makeChoices({ pool, clock }: { readonly pool: Pool; readonly clock: Clock }): Choices {
  const outlookOf = makeOutlooks(pool)
  let lastResortTurn = 0

  /** In turns, so that a pool that is wholly blocked does not send everything to one account. */
  function pickLastResort(demand: Demand, { lastResort }: Outlook): number {
    for (let step = 0; step < lastResort.length; step++) {
      lastResortTurn += 1
      const member = lastResort[lastResortTurn % lastResort.length]
      if (member === undefined || demand.exclude.has(member.facts.id)) continue
      if (pool.shelves.loadOf(member.index) < pool.shelves.capOf(member.index)) return member.index
    }
    return NOBODY
  }

  function isBackSoon(demand: Demand, { nextBurst }: Outlook): boolean {
    if (nextBurst === undefined || demand.exclude.has(nextBurst.member.facts.id)) return false
    return nextBurst.endMs <= Math.min(clock() + BURST_PATIENCE_MS, demand.deadlineMs)
  }

  function chooseOther(demand: Demand): Choice {
    const eligibility = pool.classes.eligibility(demand)
    if (countReady(pool, demand, eligibility) > 0) return WAIT_FOR_SLOT
    const outlook = outlookOf(eligibility)
    const last = pickLastResort(demand, outlook)
    if (last !== NOBODY) return { type: "grant", account: last }
    if (isBackSoon(demand, outlook)) return WAIT_FOR_BURST
    return { type: "refusal", error: refusalFor({ wanted: demand, outlook, nowMs: clock() }) }
  }

  const pickNow = (demand: Demand) => pick(pool, demand)

  return {
    pickNow,
    chooseOther,
    choose: demand => {
      const account = pickNow(demand)
      return account === NOBODY ? chooseOther(demand) : { type: "grant", account }
    },
  }
}

function pick(pool: Pool, demand: Demand): number {
  const eligibility = pool.classes.eligibility(demand)
  const { exclude, only, prefer = only } = demand
  if (prefer !== undefined) {
    const preferred = preferredOf(pool, { prefer, exclude }, eligibility)
    // Stepping over everybody else in the order of the policy would cost a walk over the pool for each who waits.
    if (preferred !== NOBODY || only !== undefined) return preferred
  }
  const skips = exclude.size === 0 ? skipNobody : (account: number) => exclude.has(pool.idAt(account))
  return pool.shelves.pick(eligibility.pickable, skips)
}

const skipNobody = () => false

type Preference = { readonly prefer: AccountId; readonly exclude: Demand["exclude"] }

function preferredOf(pool: Pool, { prefer, exclude }: Preference, eligibility: Eligibility): number {
  if (exclude.has(prefer)) return NOBODY
  const member = pool.get(prefer)
  if (member === undefined || !pool.shelves.isFree(member.index)) return NOBODY
  return pool.classes.isIn(eligibility.pickable, member.classId) ? member.index : NOBODY
}

/** Accounts that would serve this very request once they have a slot. */
function countReady(pool: Pool, { exclude }: Demand, eligibility: Eligibility): number {
  let count = pool.classes.countReady(eligibility)
  for (const id of exclude) {
    const member = pool.get(id)
    if (member?.usable && pool.classes.isIn(eligibility.ready, member.classId)) count -= 1
  }
  return count
}
