/** What keeps the accounts' state over a restart: blocks, and what was learned of them. */

import { systemClock } from "#core/clock.ts"
import type { Journal } from "#gateway/journal/journal.ts"
import type { Pool } from "#gateway/pool/pool.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"
import type { Store } from "#store/store.ts"

import type { BuiltQuota } from "./build-quota.ts"
import { type BlockKeeper, makeBlockKeeper } from "./saved-blocks.ts"
import { makeLearnedKeeper } from "./saved-learned.ts"

/** What keeping needs. */
export type KeeperParts = {
  readonly scheduler: Scheduler
  readonly pool: Pool
  readonly quota: BuiltQuota
  readonly store: Store
  readonly journal: Journal
}

/** Builds both keepers as one. */
export function buildKeepers(parts: KeeperParts): BlockKeeper {
  const { scheduler, pool, quota, store } = parts
  const { takeChanged: takeChangedQuota, history } = quota
  const keepers = [
    makeBlockKeeper({ clock: systemClock, scheduler, store, accounts: pool.accounts }),
    makeLearnedKeeper({ ...parts, clock: systemClock, history, takeChangedQuota }),
  ]
  return {
    restore: account => {
      for (const keeper of keepers) keeper.restore(account)
    },
    save: () => {
      for (const keeper of keepers) keeper.save()
    },
  }
}
