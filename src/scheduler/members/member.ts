/** One account inside the scheduler: its axes, side by side, and what follows from them. */

import type { Block } from "#core/outcome.ts"
import { type BlockList, type BlockPhase, type LiveBlock, makeBlockList, scopeName } from "#scheduler/blocks/blocks.ts"
import type { Buckets } from "#scheduler/blocks/buckets.ts"
import { makeStrikes, type Strikes } from "#scheduler/blocks/strikes.ts"
import { type History, makeHistory } from "#scheduler/health/history.ts"
import { type LearnedCap, makeLearnedCap } from "#scheduler/health/learned-cap.ts"
import type { TierState } from "#scheduler/health/tier.ts"
import type { AccountFacts, Lifecycle, Transition, UnavailableReason } from "#scheduler/types.ts"

import { NO_QUOTA, type QuotaState } from "./quota-standing.ts"

/** Transitions kept for display. */
const MAX_TRANSITIONS = 20

/** Name of the way out of accounts that name none. */
const DEFAULT_EGRESS = "configured"

/** A member of the pool. Whoever changes a field calls `Pool.refresh` before anyone else looks. */
export type Member = {
  readonly index: number
  facts: AccountFacts
  /** False once the account was removed; the member lives on until its last lease ends. */
  present: boolean
  models: ReadonlySet<string> | undefined
  /** Undefined = in no class yet. */
  classId: number | undefined
  /** Enabled, with a usable credential and no closed block of the whole account. */
  usable: boolean
  /** Some block has run out and waits for proof. */
  probing: boolean
  /** The tier its history has earned; `banned` follows from the other axes. */
  tier: TierState
  quota: QuotaState
  readonly history: History
  readonly learned: LearnedCap
  /** Evidence from attempts before this moment speaks of another credential. */
  credentialSinceMs: number
  /** Set when an attempt ended the account's service, and to what. */
  leftService: { readonly lifecycle: Lifecycle; readonly atMs: number } | undefined
  readonly blocks: BlockList
  readonly strikes: Strikes
  readonly wake: number
  transitions: readonly Transition[]
}

/** Makes the member of an account that is about to enter. `wake` is its handle in the timer heap. */
export function makeMember(facts: AccountFacts, place: { readonly index: number; readonly wake: number }): Member {
  return {
    index: place.index,
    wake: place.wake,
    facts,
    present: false,
    models: undefined,
    classId: undefined,
    usable: false,
    probing: false,
    tier: { tier: "healthy", sinceMs: 0 },
    quota: NO_QUOTA,
    history: makeHistory(),
    learned: makeLearnedCap(),
    credentialSinceMs: 0,
    leftService: undefined,
    blocks: makeBlockList(),
    strikes: makeStrikes(),
    transitions: [],
  }
}

/** Name of the way out the account uses. */
export function egressOf(member: Member): string {
  return member.facts.egress ?? DEFAULT_EGRESS
}

/** Remembers a change; one that only repeats itself moves in time instead of filling the record. */
export function note(member: Member, transition: Transition): void {
  const last = member.transitions.at(-1)
  const repeats = last?.change === transition.change && last.detail === transition.detail
  const kept = repeats ? member.transitions.slice(0, -1) : member.transitions
  member.transitions = [...kept.slice(1 - MAX_TRANSITIONS), transition]
}

/** Ends the blocks that have run out by now. */
export function endBlocks(member: Member, nowMs: number): void {
  for (const { cause, scope } of member.blocks.runOut(nowMs)) {
    note(member, { atMs: nowMs, change: "block ended", detail: `${cause}, ${scopeName(scope)}` })
  }
}

/** What lifecycle and credential say against using the account. */
export function axisReason(facts: AccountFacts): UnavailableReason | undefined {
  if (facts.lifecycle !== "enabled") return facts.lifecycle
  if (facts.credential === "expired") return "credential-expired"
  if (facts.credential === "uncertain") return "credential-uncertain"
  return undefined
}

/** Models that blocks in this phase concern one by one, sorted. */
export function modelsIn(member: Member, phase: BlockPhase, buckets: Buckets): readonly string[] {
  const blocks = member.blocks.all()
  if (blocks.length === 0) return []
  const names = new Set<string>()
  for (const block of blocks) if (block.phase === phase) for (const name of buckets.modelsOf(block)) names.add(name)
  return [...names].sort()
}

/** The block that keeps a request away for longest. */
export function longest(blocks: readonly LiveBlock[]): LiveBlock | undefined {
  let found: LiveBlock | undefined
  for (const block of blocks) if (found === undefined || block.untilMs > found.untilMs) found = block
  return found
}

/** The block without what only the scheduler needs. */
export function plainBlock(block: LiveBlock): Block {
  const { scope, cause, sinceMs, untilMs, evidenceAtMs, detail } = block
  return { scope, cause, sinceMs, untilMs, evidenceAtMs, detail }
}
