/** Whether an account is the only one left for a model: trouble of the way or of the upstream does not put it to rest then. */

import type { Member } from "#scheduler/members/member.ts"
import type { Pool } from "#scheduler/pool.ts"
import { isAvailable } from "#scheduler/view.ts"

/** No other account could serve the model, even when it had a free slot; without a model, any other one counts. */
export function isLastFor(pool: Pool, member: Member, model: string): boolean {
  if (model === "") return !Iterator.from(pool.members()).some(other => other !== member && isAvailable(pool, other))
  const eligibility = pool.classes.eligibility({ model })
  const counted = member.usable && pool.classes.isIn(eligibility.ready, member.classId)
  return pool.classes.countReady(eligibility) - Number(counted) <= 0
}
