/** Writes down why a decision falls as it does. Walks the pool, so it is done for those who ask only. */

import { isClosed } from "#scheduler/blocks/blocks.ts"
import { scoreOf, shownScore } from "#scheduler/health/score.ts"
import { axisReason, egressOf, longest, type Member } from "#scheduler/members/member.ts"
import { placementOf } from "#scheduler/members/placement.ts"
import { bandOf, headroomOf, isOverCeiling } from "#scheduler/members/quota-standing.ts"
import { healthFactsOf } from "#scheduler/members/trust.ts"
import { isInScope } from "#scheduler/pick/account-scope.ts"
import { rankOf } from "#scheduler/pick/ranks.ts"
import type { Pool } from "#scheduler/pool.ts"
import type { Demand } from "#scheduler/types.ts"

import type { Choice } from "./choice.ts"
import type { Candidate, Exclusion, Explanation } from "./explanation.ts"

/** What an explanation is made from. */
export type ExplainParts = { readonly pool: Pool; readonly nowMs: number; readonly waiting: number }

/** Accounts listed of each kind; the counts cover everybody. */
const MAX_LISTED = 50

type Obstacle = Omit<Exclusion, "account">
type Ranked = { readonly member: Member; readonly rank: number; readonly utilisation: number }

/** Explains a decision that has not taken effect yet. */
export function explain(demand: Demand, choice: Choice, parts: ExplainParts): Explanation {
  const { pool, nowMs, waiting } = parts
  const best: Ranked[] = []
  let candidates = 0
  const exclusions: Exclusion[] = []
  const counts: Record<string, number> = {}
  for (const member of pool.members()) {
    const obstacle = obstacleOf(member, demand, parts)
    if (obstacle === undefined) {
      candidates += 1
      insert(best, rankedOf(member, parts))
      continue
    }
    counts[obstacle.reason] = (counts[obstacle.reason] ?? 0) + 1
    if (exclusions.length < MAX_LISTED) exclusions.push({ account: member.facts.id, ...obstacle })
  }
  return {
    atMs: nowMs,
    model: demand.model,
    strategy: pool.policy().strategy,
    decision: choice.type === "grant" ? "lease" : choice.type,
    ...(choice.type === "grant" && grantedOf(choice.account, demand, parts)),
    ...(choice.type === "refusal" && { code: choice.error.code ?? choice.error.kind }),
    waiting,
    // Looked at closely only now: a pool may have ten thousand.
    candidates: best.map(({ member }) => candidateOf(member, parts)),
    exclusions,
    counts: { candidates, exclusions: counts },
  }
}

/** Keeps the best few in order: sorting ten thousand takes longer than looking at them. */
function insert(best: Ranked[], one: Ranked): void {
  const last = best.at(-1)
  if (best.length >= MAX_LISTED && last !== undefined && compare(one, last) >= 0) return
  let at = best.length
  for (let before = best[at - 1]; before !== undefined && compare(one, before) < 0; before = best[at - 1]) at -= 1
  best.splice(at, 0, one)
  if (best.length > MAX_LISTED) best.pop()
}

function compare(left: Ranked, right: Ranked): number {
  return left.rank - right.rank || left.utilisation - right.utilisation
}

function grantedOf(account: number, demand: Demand, { pool }: ExplainParts): Pick<Explanation, "account" | "by"> {
  const id = pool.idAt(account)
  if (!pool.shelves.isFree(account)) return { account: id, by: "last-resort" }
  return { account: id, by: demand.prefer === id || demand.only === id ? "preference" : "strategy" }
}

/** The first thing that keeps the request from the account, undefined when nothing does. */
function obstacleOf(member: Member, demand: Demand, { pool }: ExplainParts): Obstacle | undefined {
  const { facts, index } = member
  const reason = unwanted(member, demand, pool) ?? axisReason(facts) ?? pool.egresses.faultOf(egressOf(member))
  if (reason !== undefined) return { reason }
  const ofEgress = pool.egresses.get(egressOf(member)).blocks.all()
  const ownBlocks = member.blocks.all()
  const worst =
    ownBlocks.length + ofEgress.length === 0
      ? undefined
      : longest(
          [...ownBlocks, ...ofEgress].filter(block => isClosed(block) && pool.buckets.concerns(block, demand.model)),
        )
  if (worst !== undefined) return { reason: worst.cause, untilMs: worst.untilMs }
  if (!pool.classes.isIn(pool.classes.eligibility(demand).pickable, member.classId)) return { reason: "probing" }
  if (pool.shelves.isFree(index)) return undefined
  return { reason: pool.shelves.loadOf(index) >= pool.shelves.capOf(index) ? "full" : "probing" }
}

/** What the request itself says against the account. */
function unwanted({ facts, models }: Member, demand: Demand, pool: Pool): string | undefined {
  if (demand.exclude.has(facts.id)) return "tried"
  if (demand.only !== undefined && demand.only !== facts.id) return "unasked"
  if (demand.providers?.includes(facts.provider) === false) return "provider"
  if (facts.plan !== undefined && demand.notPlans?.includes(facts.plan) === true) return "plan"
  if (demand.tags !== undefined || demand.scope !== undefined) {
    const { tags } = placementOf(facts, pool.policy().placement)
    if (demand.tags?.every(tag => tags.includes(tag)) === false) return "tags"
    if (!isInScope({ tags, plan: facts.plan }, demand.scope)) return "key"
  }
  if (models?.has(demand.model) === false) return "model"
  return pool.plans.lacks(facts, demand.model) ? "plan" : undefined
}

/** Where it stands in line; enough to sort by. */
function rankedOf(member: Member, { pool, nowMs }: ExplainParts): Ranked {
  const { index, facts, quota } = member
  const policy = pool.policy()
  const { priority } = placementOf(facts, policy.placement)
  const { band } = bandOf(policy.strategy, quota.standing, nowMs)
  const tier = policy.healthTiers ? member.tier.tier : "healthy"
  const isOver = isOverCeiling(quota.standing, policy.softCeilingPercent)
  const utilisation = pool.shelves.loadOf(index) / pool.shelves.capOf(index)
  return { member, rank: rankOf({ isOverCeiling: isOver, priority, tier, band }), utilisation }
}

function candidateOf(member: Member, { pool, nowMs }: ExplainParts): Candidate {
  const { index, facts, quota } = member
  const { shelves } = pool
  const policy = pool.policy()
  const { priority, weight } = placementOf(facts, policy.placement)
  const usedAtMs = shelves.usedAtMsOf(index)
  return {
    account: facts.id,
    priority,
    tier: member.tier.tier,
    score: shownScore(scoreOf(healthFactsOf(member), nowMs)),
    band: bandOf(policy.strategy, quota.standing, nowMs).band,
    load: shelves.loadOf(index),
    cap: shelves.capOf(index),
    uses: shelves.usesOf(index),
    weight: weight * headroomOf(quota.standing),
    ...(quota.snapshot !== undefined && { remainingPercent: quota.standing.remainingPercent }),
    ...(usedAtMs > 0 && { lastUsedAtMs: usedAtMs }),
  }
}
