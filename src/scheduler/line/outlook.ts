/** Why nobody can serve a request now, and when somebody will: one walk over the pool, reused until something changes. */

import { isClosed, type LiveBlock } from "#scheduler/blocks/blocks.ts"
import { rulesOf } from "#scheduler/blocks/causes.ts"
import { axisReason, egressOf, longest, type Member } from "#scheduler/members/member.ts"
import { placementOf } from "#scheduler/members/placement.ts"
import { isInScope } from "#scheduler/pick/account-scope.ts"
import type { Eligibility } from "#scheduler/pick/classes.ts"
import type { Pool } from "#scheduler/pool.ts"
import type { UnavailableReason } from "#scheduler/types.ts"

/** What the pool can do for one kind of request. Times in milliseconds since the epoch, infinite = never by itself. */
export type Outlook = {
  /** Accounts of the wanted providers, with the wanted tags. */
  readonly candidates: number
  /** Those of them that may serve the model at some time. */
  readonly serving: number
  readonly reasons: ReadonlyMap<UnavailableReason, number>
  readonly quotaEndMs: number
  /** Earliest end of what passes soon: bursts, failures, challenges. */
  readonly passingEndMs: number
  /** Who is the first to be back from a burst, and when. */
  readonly nextBurst: { readonly member: Member; readonly endMs: number } | undefined
  /** Members that only failures of the way or of the upstream keep away. */
  readonly lastResort: readonly Member[]
}

type Draft = {
  candidates: number
  serving: number
  readonly reasons: Map<UnavailableReason, number>
  quotaEndMs: number
  passingEndMs: number
  nextBurst: { readonly member: Member; readonly endMs: number } | undefined
  readonly lastResort: Member[]
}

/** Makes the function that tells the outlook; it walks the pool at most once per change and kind of request. */
export function makeOutlooks(pool: Pool): (wanted: Eligibility) => Outlook {
  const cache = new WeakMap<Eligibility, { readonly version: number; readonly outlook: Outlook }>()
  return wanted => {
    const known = cache.get(wanted)
    if (known !== undefined && known.version === pool.version()) return known.outlook
    const outlook = survey(pool, wanted)
    cache.set(wanted, { version: pool.version(), outlook })
    return outlook
  }
}

function survey(pool: Pool, wanted: Eligibility): Outlook {
  const draft: Draft = {
    candidates: 0,
    serving: 0,
    reasons: new Map(),
    quotaEndMs: Number.POSITIVE_INFINITY,
    passingEndMs: Number.POSITIVE_INFINITY,
    nextBurst: undefined,
    lastResort: [],
  }
  for (const member of pool.members()) {
    if (!isAsked(pool, member, wanted)) continue
    draft.candidates += 1
    if (member.models?.has(wanted.model) === false || pool.plans.lacks(member.facts, wanted.model)) continue
    const axis = axisReason(member.facts) ?? pool.egresses.faultOf(egressOf(member))
    consider(draft, member, { axis, obstacles: obstaclesOf(pool, member, wanted.model) })
  }
  return draft
}

function isAsked(pool: Pool, member: Member, { providers, tags, notPlans, scope }: Eligibility): boolean {
  const { provider, plan } = member.facts
  if (providers?.includes(provider) === false) return false
  if (plan !== undefined && notPlans?.includes(plan) === true) return false
  if (tags === undefined && scope === undefined) return true
  const own = placementOf(member.facts, pool.policy().placement).tags
  return isInScope({ tags: own, plan: member.facts.plan }, scope) && (tags ?? []).every(tag => own.includes(tag))
}

/** Closed blocks that concern the model, those of the way out included. */
export function obstaclesOf(pool: Pool, member: Member, model: string): readonly LiveBlock[] {
  const ofEgress = pool.egresses.get(egressOf(member)).blocks.all()
  const all = ofEgress.length === 0 ? member.blocks.all() : [...member.blocks.all(), ...ofEgress]
  return all.filter(block => isClosed(block) && pool.buckets.concerns(block, model))
}

type Hindrance = { readonly axis: UnavailableReason | undefined; readonly obstacles: readonly LiveBlock[] }

function consider(draft: Draft, member: Member, { axis, obstacles }: Hindrance): void {
  const worst = longest(obstacles)
  const reason = axis ?? worst?.cause
  if (reason === undefined) {
    draft.serving += 1
    return
  }
  draft.reasons.set(reason, (draft.reasons.get(reason) ?? 0) + 1)
  if (obstacles.some(block => block.cause === "model-unsupported")) return
  draft.serving += 1
  if (worst !== undefined && axis === undefined) returning(draft, member, { worst, obstacles })
}

type Return = { readonly worst: LiveBlock; readonly obstacles: readonly LiveBlock[] }

/** Files the member by when and from what it comes back. */
function returning(draft: Draft, member: Member, { worst, obstacles }: Return): void {
  const endMs = worst.untilMs
  if (obstacles.every(block => rulesOf(block.cause).transport)) draft.lastResort.push(member)
  switch (worst.cause) {
    case "quota":
      draft.quotaEndMs = Math.min(draft.quotaEndMs, endMs)
      return
    case "burst":
      if (endMs < (draft.nextBurst?.endMs ?? Number.POSITIVE_INFINITY)) draft.nextBurst = { member, endMs }
      draft.passingEndMs = Math.min(draft.passingEndMs, endMs)
      return
    case "overload":
    case "server-error":
    case "network":
    case "proxy":
    case "challenge":
    case "workspace":
      draft.passingEndMs = Math.min(draft.passingEndMs, endMs)
      return
    case "credential":
    case "health":
    case "forbidden":
    case "billing":
    case "model-unsupported":
      return
  }
}
