/** Writes down why a decision falls as it does. Walks the pool, so it is done for those who ask only. */

import { isClosed } from "#scheduler/blocks/blocks.ts"
import { scoreOf, shownScore } from "#scheduler/health/score.ts"
import { axisReason, egressOf, longest, type Member } from "#scheduler/members/member.ts"
import { placementOf } from "#scheduler/members/placement.ts"
import { bandOf, headroomOf, isOverCeiling } from "#scheduler/members/quota-standing.ts"
import { healthFactsOf } from "#scheduler/members/trust.ts"
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
type Ranked = { readonly candidate: Candidate; readonly rank: number; readonly utilisation: number }

/** Explains a decision that has not taken effect yet. */
export function explain(demand: Demand, choice: Choice, parts: ExplainParts): Explanation {
  const { pool, nowMs, waiting } = parts
  const ranked: Ranked[] = []
  const exclusions: Exclusion[] = []
  const counts: Record<string, number> = {}
  for (const member of pool.members()) {
    const obstacle = obstacleOf(member, demand, parts)
    if (obstacle === undefined) {
      ranked.push(rankedOf(member, parts))
      continue
    }
    counts[obstacle.reason] = (counts[obstacle.reason] ?? 0) + 1
    if (exclusions.length < MAX_LISTED) exclusions.push({ account: member.facts.id, ...obstacle })
  }
  ranked.sort((left, right) => left.rank - right.rank || left.utilisation - right.utilisation)
  return {
    atMs: nowMs,
    model: demand.model,
    strategy: pool.policy().strategy,
    decision: choice.type === "grant" ? "lease" : choice.type,
    ...(choice.type === "grant" && grantedOf(choice.account, demand, parts)),
    ...(choice.type === "refusal" && { code: choice.error.code ?? choice.error.kind }),
    waiting,
    candidates: ranked.slice(0, MAX_LISTED).map(({ candidate }) => candidate),
    exclusions,
    counts: { candidates: ranked.length, exclusions: counts },
  }
}

function grantedOf(account: number, demand: Demand, { pool }: ExplainParts): Pick<Explanation, "account" | "by"> {
  const id = pool.idAt(account)
  if (!pool.shelves.isFree(account)) return { account: id, by: "last-resort" }
  return { account: id, by: (demand.only ?? demand.prefer) === id ? "preference" : "strategy" }
}

/** The first thing that keeps the request from the account, undefined when nothing does. */
function obstacleOf(member: Member, demand: Demand, { pool }: ExplainParts): Obstacle | undefined {
  const { facts, index } = member
  const reason = unwanted(member, demand, pool) ?? axisReason(facts)
  if (reason !== undefined) return { reason }
  const ofEgress = pool.egresses.get(egressOf(member)).blocks.all()
  const closed = [...member.blocks.all(), ...ofEgress].filter(isClosed)
  const worst = longest(closed.filter(block => pool.buckets.concerns(block, demand.model)))
  if (worst !== undefined) return { reason: worst.cause, untilMs: worst.untilMs }
  if (!pool.classes.isIn(pool.classes.eligibility(demand).pickable, member.classId)) return { reason: "probing" }
  if (pool.shelves.isFree(index)) return undefined
  return { reason: pool.shelves.loadOf(index) >= pool.shelves.capOf(index) ? "full" : "probing" }
}

/** What the request itself says against the account. */
function unwanted({ facts, models }: Member, demand: Demand, pool: Pool): string | undefined {
  if (demand.exclude.has(facts.id)) return "tried"
  if (demand.providers?.includes(facts.provider) === false) return "provider"
  const { tags } = placementOf(facts, pool.policy().placement)
  if (demand.tags?.every(tag => tags.includes(tag)) === false) return "tags"
  if (models?.has(demand.model) === false) return "model"
  return pool.plans.lacks(facts, demand.model) ? "plan" : undefined
}

function rankedOf(member: Member, { pool, nowMs }: ExplainParts): Ranked {
  const { index, facts, quota } = member
  const { shelves } = pool
  const policy = pool.policy()
  const { priority, weight } = placementOf(facts, policy.placement)
  const { band } = bandOf(policy.strategy, quota.standing, nowMs)
  const tier = policy.healthTiers ? member.tier.tier : "healthy"
  const load = shelves.loadOf(index)
  const cap = shelves.capOf(index)
  const usedAtMs = shelves.usedAtMsOf(index)
  const candidate: Candidate = {
    account: facts.id,
    priority,
    tier: member.tier.tier,
    score: shownScore(scoreOf(healthFactsOf(member), nowMs)),
    band,
    load,
    cap,
    uses: shelves.usesOf(index),
    weight: weight * headroomOf(quota.standing),
    ...(quota.snapshot !== undefined && { remainingPercent: quota.standing.remainingPercent }),
    ...(usedAtMs > 0 && { lastUsedAtMs: usedAtMs }),
  }
  const isOver = isOverCeiling(quota.standing, policy.softCeilingPercent)
  return { candidate, rank: rankOf({ isOverCeiling: isOver, priority, tier, band }), utilisation: load / cap }
}
