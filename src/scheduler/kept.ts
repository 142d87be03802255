/** What is worth keeping over a restart: out of the pool, and back into it. */

import type { Clock } from "#core/clock.ts"

import { readBlockRows, writeBlockRows } from "./blocks/block-rows.ts"
import {
  type AccountTransition,
  type HealthRow,
  restoreHealth,
  takeChangedHealth,
  transitionsBetween,
} from "./health/health-rows.ts"
import type { Pool } from "./pool.ts"
import type { BlockRow } from "./types.ts"

/** The ways out and in. Ids the pool does not know are ignored. */
export type Kept = {
  /** Blocks worth keeping over a restart. */
  readonly snapshotBlocks: () => readonly BlockRow[]
  /** Puts kept blocks back on accounts that are known by now; ended ones are dropped. */
  readonly restoreBlocks: (rows: readonly BlockRow[]) => void
  /** Health that has changed since it was taken last, at most `maxRows` accounts. */
  readonly takeChangedHealth: (maxRows: number) => readonly HealthRow[]
  /** Puts kept health back on accounts that are known by now and have not been used since. */
  readonly restoreHealth: (rows: readonly HealthRow[]) => void
  /** Changes of state from `fromMs` up to, but without, `untilMs`. */
  readonly transitionsBetween: (fromMs: number, untilMs: number) => readonly AccountTransition[]
}

/** Makes them for a pool. */
export function makeKept({ pool, clock }: { readonly pool: Pool; readonly clock: Clock }): Kept {
  return {
    snapshotBlocks: () => writeBlockRows(pool),
    restoreBlocks: rows => readBlockRows(rows, { pool, clock }),
    takeChangedHealth: maxRows => takeChangedHealth(pool, maxRows),
    restoreHealth: rows => restoreHealth(pool, rows),
    transitionsBetween: (fromMs, untilMs) => transitionsBetween(pool, fromMs, untilMs),
  }
}
