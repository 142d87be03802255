/** What each cause of a block means for its length and for the way back. */

import type { BlockCause } from "#core/outcome.ts"

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/** The rules of one cause. */
export type CauseRules = {
  /** No single report blocks for longer: the answer to resets in milliseconds, or weeks away. */
  readonly maxMs: number
  /** After the block one request at a time probes, until one succeeds. */
  readonly probes: boolean
  /** The way or the upstream failed, not the account: the pool rather tries than refuses. */
  readonly transport: boolean
  /** Reports before the first block; repeats then double it up to `ladderMaxMs`. */
  readonly ladder?: Ladder
  /** Lengths of the first, the second … report in a row for which the upstream has stated none. */
  readonly unstatedMs?: readonly number[]
}

/** How repeated reports escalate. */
export type Ladder = {
  /** The first report that blocks. */
  readonly firstStep: number
  /** A report this long after the last one, or after its block, starts over. */
  readonly memoryMs: number
  readonly maxMs: number
}

/** Three in a row, then 10 s doubling to a minute: one bad minute upstream must not empty the pool. */
const FAILURE_LADDER: Ladder = { firstStep: 3, memoryMs: 30_000, maxMs: MINUTE_MS }

/** Rules by cause. */
const CAUSE_RULES = {
  // The longest window known is 30 days; a tenth more allows for clocks.
  quota: {
    maxMs: 33 * DAY_MS,
    probes: true,
    transport: false,
    unstatedMs: [5 * MINUTE_MS, 15 * MINUTE_MS, 60 * MINUTE_MS],
  },
  burst: {
    maxMs: 30 * MINUTE_MS,
    probes: true,
    transport: false,
    ladder: { firstStep: 1, memoryMs: MINUTE_MS, maxMs: MINUTE_MS },
  },
  overload: { maxMs: MINUTE_MS, probes: false, transport: true, ladder: FAILURE_LADDER },
  "server-error": { maxMs: MINUTE_MS, probes: false, transport: true, ladder: FAILURE_LADDER },
  network: { maxMs: MINUTE_MS, probes: false, transport: true, ladder: FAILURE_LADDER },
  // A proxy that refuses or cannot be reached fails for all of its accounts: one of them is enough to find out.
  proxy: {
    maxMs: MINUTE_MS,
    probes: false,
    transport: true,
    ladder: { firstStep: 1, memoryMs: MINUTE_MS, maxMs: MINUTE_MS },
  },
  credential: { maxMs: DAY_MS, probes: false, transport: false },
  // Found by the gateway's own probes: when nobody else is left, a request may find out better.
  health: { maxMs: DAY_MS, probes: false, transport: true },
  // Another seat was told that the workspace is closed: this one is looked at, and asked when nobody else is left.
  workspace: { maxMs: DAY_MS, probes: true, transport: true },
  forbidden: { maxMs: DAY_MS, probes: false, transport: false },
  billing: { maxMs: DAY_MS, probes: false, transport: false },
  "model-unsupported": { maxMs: DAY_MS, probes: false, transport: false },
  challenge: {
    maxMs: 30 * MINUTE_MS,
    probes: false,
    transport: false,
    ladder: { firstStep: 1, memoryMs: 5 * MINUTE_MS, maxMs: 2 * MINUTE_MS },
  },
} as const satisfies Record<BlockCause, CauseRules>

/** Rules of a cause under the common type. */
export function rulesOf(cause: BlockCause): CauseRules {
  return CAUSE_RULES[cause]
}

/** A time that makes no sense (past, not a number) rests the account this long. */
const NONSENSE_MS = 2_000

/** Returns a length that makes sense for the cause, ms. */
export function sensibleMs(cause: BlockCause, forMs: number): number {
  if (Number.isNaN(forMs) || forMs <= 0) return NONSENSE_MS
  return Math.min(forMs, rulesOf(cause).maxMs)
}

/** Spread of quota resets: a thousand accounts that reset in the same second must not all probe in it. */
const SPREAD_MS = 12_000

/** Returns what to add to a quota block; `random` is in [0, 1). Short blocks get at most a tenth more. */
export function jitterMs(cause: BlockCause, forMs: number, random: () => number): number {
  return cause === "quota" ? Math.round(random() * Math.min(SPREAD_MS, forMs / 10)) : 0
}
