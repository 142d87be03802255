/** Decides what becomes of a request: an account now, a place in line, or a refusal. Changes nothing. */

import type { Clock } from "#core/clock.ts"
import type { GatewayError } from "#core/errors.ts"
import { hasClass } from "#scheduler/pick/class-mask.ts"
import type { Eligibility } from "#scheduler/pick/classes.ts"

import type { Member } from "./member.ts"
import { makeOutlooks, type Outlook } from "./outlook.ts"
import type { Pool } from "./pool.ts"
import { refusalFor } from "./refusal.ts"
import type { Demand } from "./types.ts"

/** The decision. */
export type Choice =
  | { readonly type: "grant"; readonly member: Member }
  | { readonly type: "wait" }
  | { readonly type: "refusal"; readonly error: GatewayError }

/** A burst ends within seconds: waiting for it beats refusing, as long as it ends this soon. */
const BURST_PATIENCE_MS = 10_000

const WAIT: Choice = { type: "wait" }

/** Makes the function that decides. */
export function makeChoice({
  pool,
  clock,
}: {
  readonly pool: Pool
  readonly clock: Clock
}): (demand: Demand) => Choice {
  const outlookOf = makeOutlooks(pool)
  let lastResortTurn = 0

  /** In turns, so that a pool that is wholly blocked does not send everything to one account. */
  function pickLastResort(demand: Demand, { lastResort }: Outlook): Member | undefined {
    for (let step = 0; step < lastResort.length; step++) {
      lastResortTurn += 1
      const member = lastResort[lastResortTurn % lastResort.length]
      if (member === undefined || demand.exclude.has(member.facts.id)) continue
      if (pool.lists.loadOf(member.index) < pool.lists.capOf(member.index)) return member
    }
    return undefined
  }

  function isBackSoon(demand: Demand, { nextBurst }: Outlook): boolean {
    if (nextBurst === undefined || demand.exclude.has(nextBurst.member.facts.id)) return false
    return nextBurst.endMs <= Math.min(clock() + BURST_PATIENCE_MS, demand.deadlineMs)
  }

  return demand => {
    const eligibility = pool.classes.eligibility({ model: demand.model, providers: demand.providers })
    const picked = pick(pool, demand, eligibility)
    if (picked !== undefined) return { type: "grant", member: picked }
    if (countReady(pool, demand, eligibility) > 0) return WAIT
    const outlook = outlookOf(eligibility)
    const last = pickLastResort(demand, outlook)
    if (last !== undefined) return { type: "grant", member: last }
    if (isBackSoon(demand, outlook)) return WAIT
    return { type: "refusal", error: refusalFor({ model: demand.model, outlook, nowMs: clock() }) }
  }
}

function pick(pool: Pool, demand: Demand, eligibility: Eligibility): Member | undefined {
  const preferred = preferredOf(pool, demand, eligibility)
  if (preferred !== undefined) return preferred
  const skips = demand.exclude.size === 0 ? skipNobody : (index: number) => isExcluded(pool, index, demand)
  const index = pool.lists.pick(eligibility.pickable, skips)
  return index < 0 ? undefined : pool.at(index)
}

const skipNobody = () => false

function preferredOf(pool: Pool, { prefer, exclude }: Demand, eligibility: Eligibility): Member | undefined {
  if (prefer === undefined || exclude.has(prefer)) return undefined
  const member = pool.get(prefer)
  if (member === undefined || !pool.lists.isFree(member.index)) return undefined
  return hasClass(eligibility.pickable, member.classId) ? member : undefined
}

function isExcluded(pool: Pool, index: number, { exclude }: Demand): boolean {
  const member = pool.at(index)
  return member === undefined || exclude.has(member.facts.id)
}

/** Accounts that would serve this very request once they have a slot. */
function countReady(pool: Pool, { exclude }: Demand, eligibility: Eligibility): number {
  let count = pool.classes.countReady(eligibility)
  for (const id of exclude) {
    const member = pool.get(id)
    if (member?.usable && hasClass(eligibility.ready, member.classId)) count -= 1
  }
  return count
}
