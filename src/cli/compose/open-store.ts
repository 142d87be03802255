/** Opens the store of a data directory with its master key; what stands in the way is told as something to act on. */

import { join } from "node:path"

import type { KeySlots } from "#accounts/secrets/key-slots.ts"
import { loadMasterKey } from "#accounts/secrets/load-master-key.ts"
import type { MasterKey } from "#accounts/secrets/master-key.ts"
import { makeSealer, type Sealer } from "#accounts/secrets/seal.ts"
import { checkKey, KEY_FACT_NAMES, readKeyFacts, sealClearRows } from "#accounts/secrets/sealed-rows.ts"
import type { OwnerLock } from "#store/owner-lock.ts"
import { peekMeta, refuseNewerDatabase } from "#store/peek-meta.ts"
import { makeStore, type Store } from "#store/store.ts"

import { explainFolder, lockFolder } from "./lock-folder.ts"
import { randomBytes } from "./random-bytes.ts"

/** An open store and the key everything in it is sealed with. */
export type OpenedStore = {
  readonly store: Store
  readonly sealer: Sealer
  readonly key: MasterKey
  /** Rows of an earlier version that were in clear and are sealed now. */
  readonly sealedNow: number
}

/**
 * Takes the lock of `dataDir`, finds the key, and opens `core.db`. Rejects with `internal`; with a wrong key, and
 * with a database of a newer version, neither the database nor a key has been touched then.
 */
export async function openStore(dataDir: string, slots: KeySlots): Promise<OpenedStore> {
  const lock = lockFolder(dataDir)
  try {
    return await openLocked(join(dataDir, "core.db"), slots, lock)
  } catch (cause) {
    lock.release()
    throw explainFolder(dataDir, cause)
  }
}

async function openLocked(path: string, slots: KeySlots, lock: OwnerLock): Promise<OpenedStore> {
  refuseNewerDatabase(path)
  const known = peekMeta(path, KEY_FACT_NAMES)
  const facts = readKeyFacts(name => known.get(name))
  const key = await loadMasterKey({ slots, expectedId: facts.keyId, random: randomBytes })
  const sealer = makeSealer({ key, random: randomBytes })
  checkKey(sealer, facts)
  const store = makeStore({ path, pid: process.pid, lock })
  try {
    return { store, sealer, key, sealedNow: sealClearRows(store, sealer) }
  } catch (cause) {
    store.close()
    throw cause
  }
}
