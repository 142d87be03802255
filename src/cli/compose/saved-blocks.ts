/** Keeps the scheduler's blocks over a restart, and over the moment an account file is away while it is replaced. */

import type { Clock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"
import type { Store } from "#store/store.ts"

/** What keeping blocks needs. */
export type BlockKeeperParts = {
  readonly clock: Clock
  readonly scheduler: Pick<Scheduler, "snapshotBlocks" | "restoreBlocks">
  readonly store: Pick<Store, "saveBlocks" | "listBlocks" | "deleteEndedBlocks">
  /** Accounts in use; the rows of others are left as they are. */
  readonly accounts: () => readonly { readonly id: AccountId }[]
}

/** Reads and writes the blocks. */
export type BlockKeeper = {
  /** Puts back what was kept for all accounts, or for one that has just come. */
  readonly restore: (account?: AccountId) => void
  /** Writes what has changed since the last time. Does nothing before the first `restore`. Throws the store's error. */
  readonly save: () => void
}

/** Makes the keeper. */
export function makeBlockKeeper(parts: BlockKeeperParts): BlockKeeper {
  const { clock, scheduler, store } = parts
  const written = new Map<AccountId, string>()
  let restored = false

  return {
    restore: account => {
      restored ||= account === undefined
      if (!restored) return
      const kept = store.listBlocks(clock())
      scheduler.restoreBlocks(account === undefined ? kept : kept.filter(row => row.accountId === account))
      for (const row of kept) written.set(row.accountId, "kept")
    },
    save: () => {
      if (!restored) return
      store.deleteEndedBlocks(clock())
      const rows = Map.groupBy(scheduler.snapshotBlocks(), row => row.accountId)
      for (const { id } of parts.accounts()) {
        const blocks = rows.get(id) ?? []
        const text = blocks.length === 0 ? "" : JSON.stringify(blocks)
        if ((written.get(id) ?? "") === text) continue
        store.saveBlocks(id, blocks)
        written.set(id, text)
      }
    },
  }
}
