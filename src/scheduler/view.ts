/** The pool for display: single accounts and totals. */

import { isClosed } from "./blocks.ts"
import { axisReason, egressOf, longest, type Member, plainBlock } from "./member.ts"
import type { Pool } from "./pool.ts"
import type { AccountView, PoolCounts, UnavailableReason } from "./types.ts"

/** True when nothing but a full load or a block of single models keeps requests away. */
export function isAvailable(pool: Pool, member: Member): boolean {
  return reasonOf(pool, member) === undefined
}

/** Why the whole account is out, blocks of its way out included; undefined = it is not. */
function reasonOf(pool: Pool, member: Member): UnavailableReason | undefined {
  const axis = axisReason(member.facts)
  if (axis !== undefined) return axis
  const ofAccount = member.blocks.all().filter(block => block.scope.type === "account")
  const closed = [...ofAccount, ...pool.egresses.get(egressOf(member)).blocks.all()].filter(isClosed)
  return longest(closed)?.cause
}

/** Shows one account. */
export function viewOf(pool: Pool, member: Member): AccountView {
  const { id, provider, plan, lifecycle, credential } = member.facts
  const reason = reasonOf(pool, member)
  const blocks = [...member.blocks.all(), ...pool.egresses.get(egressOf(member)).blocks.all()]
  return {
    id,
    provider,
    ...(plan !== undefined && { plan }),
    lifecycle,
    credential,
    available: reason === undefined,
    ...(reason !== undefined && { reason }),
    probing: member.probing,
    // A block that has run out and waits for proof is told by `probing`, not as a block.
    blocks: blocks.filter(isClosed).map(plainBlock),
    load: pool.lists.loadOf(member.index),
    cap: pool.lists.capOf(member.index),
    ...(member.lastUsedAtMs !== undefined && { lastUsedAtMs: member.lastUsedAtMs }),
    transitions: member.transitions,
  }
}

/** Makes the function that counts; it walks the pool at most once per change. */
export function makeCounts(pool: Pool): () => Pick<PoolCounts, "total" | "available" | "byReason"> {
  let countedVersion = -1
  let counts: Pick<PoolCounts, "total" | "available" | "byReason"> = { total: 0, available: 0, byReason: {} }
  return () => {
    if (countedVersion === pool.version()) return counts
    const byReason: Partial<Record<UnavailableReason, number>> = {}
    let available = 0
    for (const member of pool.members()) {
      const reason = reasonOf(pool, member)
      if (reason === undefined) available += 1
      else byReason[reason] = (byReason[reason] ?? 0) + 1
    }
    countedVersion = pool.version()
    counts = { total: pool.size(), available, byReason }
    return counts
  }
}
