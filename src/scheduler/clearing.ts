/** Blocks that go away before their time: proven wrong by a success, or lifted by an operator or by fresher facts. */

import type { Clock } from "#core/clock.ts"

import type { LiveBlock } from "./blocks.ts"
import { egressOf, type Member, note } from "./member.ts"
import type { Pool } from "./pool.ts"
import type { AttemptSuccess, ClearOptions } from "./types.ts"

type ClearingParts = { readonly pool: Pool; readonly clock: Clock }

/** Clears what an attempt that went well disproves: blocks that concern its model, confirmed before it began. */
export function readSuccess(member: Member, success: AttemptSuccess, parts: ClearingParts): void {
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
  if (options.cause === undefined) member.strikes.clear()
  clear(member, { options, concerned: () => true, by: "request" }, parts)
}

type Clearing = {
  readonly options: ClearOptions
  readonly concerned: (block: LiveBlock) => boolean
  readonly by: "success" | "request"
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
