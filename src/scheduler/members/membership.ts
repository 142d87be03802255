/** Which class a member belongs to, and whether it counts there as one that serves. */

import { isClosed } from "#scheduler/blocks/blocks.ts"
import type { Buckets } from "#scheduler/blocks/buckets.ts"
import type { Classes } from "#scheduler/pick/classes.ts"

import { axisReason, egressOf, type Member, modelsIn } from "./member.ts"

/** What decides about the class besides the member's own axes. */
export type Place = {
  /** From `rankOf`. */
  readonly rank: number
  /** Sorted. */
  readonly tags: readonly string[]
}

/** What moving needs. */
export type MembershipParts = { readonly classes: Classes; readonly buckets: Buckets }

/** Moves the member to the class its axes ask for and counts it there if it is usable. Returns the class. */
export function reclassify(member: Member, { rank, tags }: Place, { classes, buckets }: MembershipParts): number {
  const blocks = member.blocks.all()
  const classId = classes.join({
    provider: member.facts.provider,
    egress: egressOf(member),
    plan: member.facts.plan,
    tags,
    models: member.models,
    stopped: modelsIn(member, "closed", buckets),
    held: modelsIn(member, "trying", buckets),
    rank,
  })
  // Joined before left: a class that keeps its only member does not become empty in between.
  leaveClass(member, classes)
  member.classId = classId
  member.usable =
    axisReason(member.facts) === undefined && !blocks.some(block => block.scope.type === "account" && isClosed(block))
  member.probing = blocks.some(block => !isClosed(block))
  if (member.usable) classes.addReady(classId, 1)
  return classId
}

/** Takes the member out of its class. */
export function leaveClass(member: Member, classes: Classes): void {
  if (member.classId === undefined) return
  if (member.usable) classes.addReady(member.classId, -1)
  member.usable = false
  classes.leave(member.classId)
  member.classId = undefined
}
