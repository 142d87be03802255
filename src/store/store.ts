/** The store: one owned `core.db` behind plain functions. */

import { dirname } from "node:path"

import { type AccountTables, makeAccountTables } from "./account-tables.ts"
import { makeDataDirectory, openCoreDatabase } from "./core-database.ts"
import { type CredentialRows, makeCredentialRows } from "./credentials.ts"
import { type HandOver, makeHandOver } from "./hand-over.ts"
import { type MemoryTables, makeMemoryTables } from "./memory-tables.ts"
import { type MetaRows, makeMetaRows } from "./meta.ts"
import { type ModelListRows, makeModelListRows } from "./model-lists.ts"
import { makeOperatorTables, type OperatorTables } from "./operator-tables.ts"
import { type OwnerLock, takeOwnerLock } from "./owner-lock.ts"
import { makeRefreshIntentRows, type RefreshIntentRows } from "./refresh-intents.ts"
import { makeSecretRows, type SecretRows } from "./secrets.ts"

/** Every function of the store. All are synchronous; each is one statement or one transaction. */
export type Store = CredentialRows &
  AccountTables &
  RefreshIntentRows &
  MemoryTables &
  OperatorTables &
  ModelListRows &
  MetaRows &
  HandOver &
  Pick<SecretRows, "listSecrets" | "listClearSecrets" | "replaceSecrets"> & {
    /** Tells other commands where this process can be reached. */
    readonly announce: (url: string) => void
  }

/** What the store is made of. */
export type StoreParts = {
  /** `<data-dir>/core.db`; the directory is created with mode 0700. */
  readonly path: string
  /** Told to a second process that wants the same directory. */
  readonly pid: number
  /** The directory's lock when the caller holds it already; `close` lets it go, a failure to open does not. */
  readonly lock?: OwnerLock
}

/** Takes the directory's lock and opens the database. Throws `internal` when it is taken, damaged or too new. */
export function makeStore({ path, pid, lock: held }: StoreParts): Store {
  const dataDir = dirname(path)
  makeDataDirectory(dataDir)
  const lock = held ?? takeOwnerLock(dataDir, pid)
  try {
    const database = openCoreDatabase(path)
    const meta = makeMetaRows(database)
    const { finishWipe, ...secrets } = makeSecretRows(database, meta)
    finishWipe()
    return {
      ...makeCredentialRows(database),
      ...makeAccountTables(database),
      ...makeRefreshIntentRows(database),
      ...makeMemoryTables(database),
      ...makeOperatorTables(database),
      ...makeModelListRows(database),
      ...meta,
      ...secrets,
      announce: lock.announce,
      ...makeHandOver(path, database, lock),
    }
  } catch (error) {
    if (held === undefined) lock.release()
    throw error
  }
}
