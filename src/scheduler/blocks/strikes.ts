/** Counts repeated failures of one kind, so that the first is forgiven and later ones weigh more. */

import type { BlockCause } from "#core/outcome.ts"

import { type Ladder, rulesOf } from "./causes.ts"

/** A failure as the counter sees it. */
export type StrikeEvidence = {
  readonly cause: BlockCause
  /** What is struck, e.g. `model gpt-5`. */
  readonly target: string
  /** Already within the cause's bounds. */
  readonly forMs: number
  /** The upstream has not said how long. */
  readonly isUnstated: boolean
  readonly startedAtMs: number
  readonly nowMs: number
}

/** Strikes of one account or one way out. */
export type Strikes = {
  /** Counts the failure and returns how long to block; undefined = not yet. */
  readonly add: (evidence: StrikeEvidence) => number | undefined
  /** A success of an attempt that began after the strikes forgives them. */
  readonly forgive: (startedAtMs: number) => void
  readonly clear: () => void
}

type Strike = { count: number; lastAtMs: number; quietFromMs: number }

/** Makes a counter without strikes. */
export function makeStrikes(): Strikes {
  const strikes = new Map<string, Strike>()

  return {
    add: ({ cause, target, forMs, isUnstated, startedAtMs, nowMs }) => {
      const ladder = ladderOf(cause, isUnstated)
      if (ladder === undefined) return forMs
      const key = `${cause} ${target}`
      const old = strikes.get(key)
      const known = old !== undefined && nowMs - old.quietFromMs <= ladder.memoryMs ? old : undefined
      // Requests that were under way together fail together: that is one incident, not several.
      const sameIncident = known !== undefined && startedAtMs <= known.lastAtMs
      const count = (known?.count ?? 0) + (sameIncident ? 0 : 1)
      const step = count - ladder.firstStep
      const lengthMs = step < 0 ? undefined : lengthOf(ladder, step, forMs)
      const lastAtMs = sameIncident ? known.lastAtMs : nowMs
      strikes.set(key, { count, lastAtMs, quietFromMs: nowMs + (lengthMs ?? 0) })
      return lengthMs
    },
    forgive: startedAtMs => {
      for (const [key, strike] of strikes) if (strike.lastAtMs < startedAtMs) strikes.delete(key)
    },
    clear: () => strikes.clear(),
  }
}

/** A ladder whose steps are named one by one, when the upstream states no length. */
type Steps = Ladder & { readonly stepsMs?: readonly number[] }

function lengthOf({ stepsMs, maxMs }: Steps, step: number, forMs: number): number {
  if (stepsMs !== undefined) return stepsMs[step] ?? maxMs
  return Math.max(forMs, Math.min(forMs * 2 ** step, maxMs))
}

/** Nobody may ask for hours after a rest has ended, and the next refusal is still one in a row. */
const STEPS_MEMORY_MS = 6 * 3_600_000

function ladderOf(cause: BlockCause, isUnstated: boolean): Steps | undefined {
  const { unstatedMs, ladder } = rulesOf(cause)
  if (!isUnstated || unstatedMs === undefined) return ladder
  return { firstStep: 1, memoryMs: STEPS_MEMORY_MS, maxMs: Math.max(...unstatedMs), stepsMs: unstatedMs }
}
