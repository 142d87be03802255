/** Keeps the pool, the scheduler and the catalogue in step with the account files. */

import { systemClock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"

import type { BuiltPool } from "./build-pool.ts"
import type { AccountListener } from "./run-accounts.ts"

/** The parts that are kept in step. */
export type ListeningPool = Omit<BuiltPool, "sync"> & { readonly sync: Pick<BuiltPool["sync"], "accountSeen"> }

/** Makes the listener; `forget` drops what is counted of an account that was removed. */
export function poolListener(
  { pool, sync, catalogue, scheduler, keeper }: ListeningPool,
  forget: (id: AccountId) => void,
): AccountListener {
  return {
    put: account => {
      const isNew = pool.target(account.id) === undefined
      pool.put(account)
      // Its file may only have been away while it was replaced: a spent quota is spent all the same.
      if (isNew) keeper.restore(account.id)
      sync.accountSeen(account)
    },
    renewed: pool.renew,
    doubted: pool.doubt,
    removed: id => {
      pool.remove(id)
      catalogue.removeAccount(id)
      forget(id)
    },
    expired: id => scheduler.setCredential(id, "expired"),
    lost: (id, effect, detail) => {
      pool.endDoubt(id)
      scheduler.report(id, { effect: { type: effect }, startedAtMs: systemClock(), model: "", detail })
    },
  }
}
