/** Keeps the scheduler's blocks over a restart. */

import { systemClock } from "#core/clock.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"
import type { Store } from "#store/store.ts"

/** Writes the blocks in force. An account that has none any more is written too: its old rows must go. */
export function saveBlocks(scheduler: Scheduler, store: Store): void {
  const rows = Map.groupBy(scheduler.snapshotBlocks(), row => row.accountId)
  const kept = Map.groupBy(store.listBlocks(systemClock()), row => row.accountId)
  for (const id of new Set([...rows.keys(), ...kept.keys()])) store.saveBlocks(id, rows.get(id) ?? [])
}
