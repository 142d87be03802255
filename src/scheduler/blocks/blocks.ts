/** The stop signs on one account or on one way out: added, merged, run out, probed, cleared. */

import type { Block, BlockCause, BlockScope } from "#core/outcome.ts"
import type { ClearOptions } from "#scheduler/types.ts"

import { rulesOf } from "./causes.ts"

/**
 * Where a block stands: `closed` – nobody passes until it runs out; `open` – it has run out and one request may try;
 * `trying` – that request is under way.
 */
export type BlockPhase = "closed" | "open" | "trying"

/** A block with what only the scheduler needs to know. */
export type LiveBlock = Block & {
  readonly phase: BlockPhase
  /** When it was last confirmed: only attempts that began later can prove it wrong. */
  readonly confirmedAtMs: number
  /** Number of the lease that tries, 0 without one. */
  readonly probe: number
}

/** What a new report adds. */
export type NewBlock = {
  readonly scope: BlockScope
  readonly cause: BlockCause
  readonly untilMs: number
  readonly evidenceAtMs: number
  readonly detail: string
}

/** Blocks of one owner. All functions that change something return what changed, for the record. */
export type BlockList = {
  readonly all: () => readonly LiveBlock[]
  /** Adds, or lengthens the block of the same scope and cause; the end never comes nearer. */
  readonly add: (block: NewBlock, nowMs: number) => LiveBlock
  /** Blocks that have run out: dropped, or open for probing when their cause says so. */
  readonly runOut: (nowMs: number) => readonly LiveBlock[]
  /** Earliest end of a closed block, milliseconds since the epoch; infinite without one. */
  readonly nextEndMs: () => number
  /** Lets the lease `probe` try the open blocks that match; false when there are none. */
  readonly startProbe: (probe: number, matches: (block: LiveBlock) => boolean) => boolean
  /** The lease `probe` has ended without proof: its blocks let the next one try. */
  readonly endProbe: (probe: number) => boolean
  readonly clear: (options: ClearOptions, matches: (block: LiveBlock) => boolean) => readonly LiveBlock[]
}

/** True for blocks of the same thing. */
function sameScope(a: BlockScope, b: BlockScope): boolean {
  return scopeName(a) === scopeName(b)
}

/** Names what is blocked, e.g. `model gpt-5`; unique and fit to show. */
export function scopeName(scope: BlockScope): string {
  switch (scope.type) {
    case "account":
    case "egress":
      return scope.type
    case "model":
      return `model ${scope.model}`
    case "bucket":
      return `bucket ${scope.bucket}`
  }
}

/** True while nobody passes. */
export function isClosed(block: LiveBlock): boolean {
  return block.phase === "closed"
}

/** Makes an empty list. */
export function makeBlockList(): BlockList {
  let blocks: readonly LiveBlock[] = []

  function merge(old: LiveBlock | undefined, added: NewBlock, nowMs: number): LiveBlock {
    const base = { ...added, phase: "closed", confirmedAtMs: nowMs, probe: 0 } as const
    if (old === undefined) return { ...base, sinceMs: nowMs }
    return {
      ...base,
      sinceMs: old.sinceMs,
      untilMs: Math.max(old.untilMs, added.untilMs),
      evidenceAtMs: Math.max(old.evidenceAtMs, added.evidenceAtMs),
    }
  }

  function replace(matches: (block: LiveBlock) => boolean, change: (block: LiveBlock) => LiveBlock): boolean {
    if (!blocks.some(matches)) return false
    blocks = blocks.map(block => (matches(block) ? change(block) : block))
    return true
  }

  return {
    all: () => blocks,
    add: (added, nowMs) => {
      const old = blocks.find(block => block.cause === added.cause && sameScope(block.scope, added.scope))
      const merged = merge(old, added, nowMs)
      blocks = [...blocks.filter(block => block !== old), merged]
      return merged
    },
    runOut: nowMs => {
      const over = blocks.filter(block => block.phase === "closed" && block.untilMs <= nowMs)
      if (over.length === 0) return over
      blocks = blocks.flatMap(block => {
        if (!over.includes(block)) return [block]
        return rulesOf(block.cause).probes ? [{ ...block, phase: "open" as const }] : []
      })
      return over
    },
    nextEndMs: () => {
      let endMs = Number.POSITIVE_INFINITY
      for (const block of blocks) if (block.phase === "closed") endMs = Math.min(endMs, block.untilMs)
      return endMs
    },
    startProbe: (probe, matches) =>
      replace(
        block => block.phase === "open" && matches(block),
        block => ({ ...block, phase: "trying", probe }),
      ),
    endProbe: probe =>
      replace(
        block => block.phase === "trying" && block.probe === probe,
        block => ({ ...block, phase: "open", probe: 0 }),
      ),
    clear: ({ cause, scope, model, confirmedBeforeMs }, matches) => {
      const gone = blocks.filter(
        block =>
          matches(block) &&
          (cause === undefined || block.cause === cause) &&
          (scope === undefined || block.scope.type === scope) &&
          (model === undefined || (block.scope.type === "model" && block.scope.model === model)) &&
          (confirmedBeforeMs === undefined || block.confirmedAtMs < confirmedBeforeMs),
      )
      if (gone.length > 0) blocks = blocks.filter(block => !gone.includes(block))
      return gone
    },
  }
}
