/** What a failed attempt leaves behind on an account's score and limit, and what it tells the breaker. */

import type { Clock } from "#core/clock.ts"
import type { Member } from "#scheduler/members/member.ts"
import { wouldMove } from "#scheduler/members/trust.ts"
import type { Pool } from "#scheduler/pool.ts"
import type { AttemptReport } from "#scheduler/types.ts"

import type { Breaker } from "./breaker.ts"
import { noteFailure } from "./history.ts"
import { cutCap } from "./learned-cap.ts"
import { readReport } from "./read-report.ts"

/** What noting needs. */
export type NoteHealthParts = { readonly pool: Pool; readonly clock: Clock; readonly breaker: Breaker }

/** Keeps score, cap and breaker. Returns true when the report's consequences are to be withheld. */
export function noteHealth(member: Member, report: AttemptReport, parts: NoteHealthParts): boolean {
  const { pool, breaker } = parts
  const nowMs = parts.clock()
  const { health, shared, tooMany } = readReport(report)
  if (isOutdated(member, report)) return false
  const isWithheld = shared !== undefined && breaker.failed(member.index, shared, nowMs)
  if (health === undefined || isWithheld) return isWithheld
  noteFailure(member.history, health, nowMs)
  if (tooMany) cutCap(member.learned, pool.shelves.loadOf(member.index), nowMs)
  if (wouldMove(member, { shelves: pool.shelves, policy: pool.policy(), nowMs })) pool.refresh(member)
  return false
}

/** A refusal of the old token says nothing about the one that has replaced it since. */
export function isOutdated(member: Member, report: AttemptReport): boolean {
  return report.startedAtMs < member.credentialSinceMs
}
