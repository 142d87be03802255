/** Blocks that go away before their time: proven wrong by a success, or lifted by an operator or by fresher facts. */

import type { Clock } from "#core/clock.ts"
import type { BlockCause } from "#core/outcome.ts"
import type { Breaker } from "#scheduler/health/breaker.ts"
import { forgetFailure, type HealthFailure, noteSuccess } from "#scheduler/health/history.ts"
import { growCap } from "#scheduler/health/learned-cap.ts"
import { noteFirstOutput } from "#scheduler/health/paces.ts"
import { egressOf, type Member, note } from "#scheduler/members/member.ts"
import { ceilingOf, wouldMove } from "#scheduler/members/trust.ts"
import type { Pool } from "#scheduler/pool.ts"
import type { AttemptSuccess, ClearOptions } from "#scheduler/types.ts"

import type { LiveBlock } from "./blocks.ts"

type ClearingParts = { readonly pool: Pool; readonly clock: Clock }

/** Draws the consequences of an attempt that went well: for health and cap, for plans, and for blocks that it disproves. */
export function readSuccess(
  member: Member,
  success: AttemptSuccess,
  parts: ClearingParts & { breaker: Breaker },
): void {
  const { pool } = parts
  const nowMs = parts.clock()
  parts.breaker.succeeded(member.index, success.startedAtMs, nowMs)
  if (pool.plans.served(member.facts, success.model, success.startedAtMs)) pool.refreshPlans()
  const beforeMs = member.history.latencyMs
  noteSuccess(member.history, success.firstOutputMs)
  pool.paces.moved(beforeMs, member.history.latencyMs)
  noteFirstOutput(member.history, success.firstOutputMs, pool.paces)
  const policy = pool.policy()
  growCap(member.learned, ceilingOf(member, policy), nowMs)
  // Whoever is not healthy may be so sooner than the timer is set for.
  const isOnTheWay = member.tier.tier !== "healthy"
  if (isOnTheWay || wouldMove(member, { shelves: pool.shelves, policy, nowMs })) pool.refresh(member)
  disprove(member, success, parts)
}

/** Clears blocks that concern the success's model and were confirmed before it began. */
function disprove(member: Member, success: AttemptSuccess, parts: ClearingParts): void {
  const { pool } = parts
  const egress = pool.egresses.get(egressOf(member))
  member.strikes.forgive(success.startedAtMs)
  egress.strikes.forgive(success.startedAtMs)
  // The usual case: nothing stands against the account, and a success proves nothing new.
  if (member.blocks.all().length === 0 && egress.blocks.all().length === 0) return
  const concerned = (block: LiveBlock) => pool.buckets.concerns(block, success.model)
  clear(member, { options: { confirmedBeforeMs: success.startedAtMs }, concerned, by: "success" }, parts)
}

/** Clears on request, whatever the model. */
export function clearOnRequest(member: Member, options: ClearOptions, parts: ClearingParts): void {
  clear(member, { options, concerned: () => true, by: "request" }, parts)
  if (options.cause === undefined) forgetLessons(member, parts)
}

/** Whoever clears everything wants the account tried as if it had never been refused. */
function forgetLessons(member: Member, { pool }: ClearingParts): void {
  member.strikes.clear()
  pool.egresses.get(egressOf(member)).strikes.clear()
  if (pool.plans.forget(member.facts)) pool.refreshPlans()
}

type Clearing = {
  readonly options: ClearOptions
  readonly concerned: (block: LiveBlock) => boolean
  readonly by: "success" | "request"
}

/**
 * Undoes what was written for a failure that turned out to be everybody's, from `sinceMs` on: blocks with its causes, the
 * loss of a sign-in, and the mark in the history.
 */
export function undoShared(pool: Pool, { causes, health, sinceMs, nowMs }: SharedUndoing): void {
  for (const member of pool.members()) {
    const recent = (block: LiveBlock) => causes.has(block.cause) && block.sinceMs >= sinceMs
    const gone = member.blocks.clear({}, recent)
    const isForgotten = health !== undefined && forgetFailure(member.history, health, sinceMs)
    // What never was the account's is taken back at once, not after the usual wait for a better tier.
    if (isForgotten) member.tier = { ...member.tier, sinceMs: 0 }
    const left = member.leftService
    const isBack = left !== undefined && left.atMs >= sinceMs && member.facts.lifecycle === left.lifecycle
    if (isBack && causes.has("credential")) member.facts = { ...member.facts, lifecycle: "enabled" }
    else if (gone.length === 0 && !isForgotten) continue
    note(member, {
      atMs: nowMs,
      change: "restored: many accounts fail alike",
      detail: gone.map(({ cause }) => cause).join(", "),
    })
    pool.refresh(member)
  }
}

type SharedUndoing = {
  readonly causes: ReadonlySet<BlockCause>
  /** Undefined: it leaves no mark. */
  readonly health: HealthFailure | undefined
  readonly sinceMs: number
  readonly nowMs: number
}

function clear(member: Member, { options, concerned, by }: Clearing, { pool, clock }: ClearingParts): void {
  const egressName = egressOf(member)
  const ofEgress = pool.egresses.get(egressName).blocks.clear(options, concerned)
  const gone = [...member.blocks.clear(options, concerned), ...ofEgress]
  if (gone.length === 0) return
  const causes = gone.map(({ cause }) => cause).join(", ")
  note(member, { atMs: clock(), change: "blocks cleared", detail: `${causes}; by ${by}` })
  if (ofEgress.length > 0) pool.egresses.refresh(egressName)
  pool.refresh(member)
}
