/** Blocks as rows for the store, and back. */

import type { Clock } from "#core/clock.ts"
import { note, plainBlock } from "#scheduler/members/member.ts"
import type { Pool } from "#scheduler/pool.ts"
import type { BlockRow } from "#scheduler/types.ts"

import { isClosed, scopeName } from "./blocks.ts"

/** Returns every standing block of every account. */
export function writeBlockRows(pool: Pool): readonly BlockRow[] {
  const rows: BlockRow[] = []
  for (const member of pool.members()) {
    for (const block of member.blocks.all()) {
      if (isClosed(block)) rows.push({ accountId: member.facts.id, ...plainBlock(block) })
    }
  }
  return rows
}

/** Puts rows back on accounts that are known by now; ended ones and those of unknown accounts are dropped. */
export function readBlockRows(rows: readonly BlockRow[], { pool, clock }: { pool: Pool; clock: Clock }): void {
  const nowMs = clock()
  for (const { accountId, sinceMs, ...block } of rows) {
    const member = pool.get(accountId)
    if (member === undefined || block.untilMs <= nowMs || block.scope.type === "egress") continue
    member.blocks.add(block, Math.min(sinceMs, nowMs))
    note(member, { atMs: nowMs, change: "block restored", detail: `${block.cause}, ${scopeName(block.scope)}` })
    pool.refresh(member)
  }
}
