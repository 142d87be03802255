/** The pool for display: single accounts and totals. */

import type { AccountId } from "#core/ids.ts"

import { isClosed } from "./blocks/blocks.ts"
import { isLagging } from "./health/paces.ts"
import { scoreOf, shownScore, termsOf } from "./health/score.ts"
import { obstaclesOf } from "./line/outlook.ts"
import { axisReason, egressOf, longest, type Member, plainBlock } from "./members/member.ts"
import { placementOf } from "./members/placement.ts"
import { ceilingOf, healthFactsOf, shownTier } from "./members/trust.ts"
import { type AccountScope, isInScope } from "./pick/account-scope.ts"
import type { Pool } from "./pool.ts"
import type { AccountView, PoolCounts, Standing, UnavailableReason } from "./types.ts"

/** True when nothing but a full load or a block of single models keeps requests away. */
export function isAvailable(pool: Pool, member: Member): boolean {
  return reasonOf(pool, member) === undefined
}

/** Why the whole account is out, blocks of its way out included; undefined = it is not. */
function reasonOf(pool: Pool, member: Member): UnavailableReason | undefined {
  const axis = axisReason(member.facts) ?? pool.egresses.faultOf(egressOf(member))
  if (axis !== undefined) return axis
  const ofAccount = member.blocks.all().filter(block => block.scope.type === "account")
  const closed = [...ofAccount, ...pool.egresses.get(egressOf(member)).blocks.all()].filter(isClosed)
  return longest(closed)?.cause
}

/**
 * Returns where one account stands for a model, and looks at nobody else. One that nobody knows, or that does not have the
 * model, is away.
 */
export function standingOf(pool: Pool, id: AccountId, model: string): Standing {
  const member = pool.get(id)
  if (member === undefined || member.facts.lifecycle !== "enabled") return { type: "away" }
  if (member.models?.has(model) === false || pool.plans.lacks(member.facts, model)) return { type: "away" }
  const { credential } = member.facts
  if (credential === "expired" || credential === "uncertain") return { type: "unready" }
  const block = longest(obstaclesOf(pool, member, model))
  return block === undefined ? { type: "ready" } : { type: "resting", untilMs: block.untilMs }
}

/** True when the account's last answers all began far later than is usual in the pool. */
export function isSlow(pool: Pool, id: AccountId): boolean {
  const member = pool.get(id)
  return member !== undefined && isLagging(member.history, pool.paces)
}

/** Shows every account. */
export function viewAll(pool: Pool, nowMs: number): readonly AccountView[] {
  return [...pool.members()].map(member => viewOf(pool, member, nowMs))
}

/** Shows one account. */
function viewOf(pool: Pool, member: Member, nowMs: number): AccountView {
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
    ...workOf(pool, member),
    ...healthOf(member, nowMs),
    ...placementOf(member.facts, pool.policy().placement),
    ...quotaOf(member),
    transitions: member.transitions,
  }
}

function workOf(pool: Pool, member: Member) {
  const { index, learned } = member
  const { shelves } = pool
  const usedAtMs = shelves.usedAtMsOf(index)
  return {
    load: shelves.loadOf(index),
    cap: shelves.capOf(index),
    ceiling: ceilingOf(member, pool.policy()),
    ...(Number.isFinite(learned.limit) && { learnedCap: Math.floor(learned.limit) }),
    uses: shelves.usesOf(index),
    ...(usedAtMs > 0 && { lastUsedAtMs: usedAtMs }),
  }
}

function healthOf(member: Member, nowMs: number) {
  const facts = healthFactsOf(member)
  return { score: shownScore(scoreOf(facts, nowMs)), tier: shownTier(member), terms: termsOf(facts, nowMs) }
}

function quotaOf({ quota: { snapshot, standing } }: Member) {
  if (snapshot === undefined) return {}
  const { remainingPercent, resetsAtMs } = standing
  return { quota: { remainingPercent, ...(resetsAtMs !== undefined && { resetsAtMs }) } }
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

/** True when the account is among those of the scope. */
export function isMemberInScope(pool: Pool, { facts }: Member, scope: AccountScope | undefined): boolean {
  return isInScope({ tags: placementOf(facts, pool.policy().placement).tags, plan: facts.plan }, scope)
}
