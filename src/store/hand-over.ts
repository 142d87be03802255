/** How a data directory is given to another process: for good, or until that one fails. */

import type { Database } from "bun:sqlite"

import { CORE_MIGRATIONS, readVersion, refuseNewerVersion } from "./migrations.ts"
import type { OwnerLock } from "./owner-lock.ts"

/** Giving the directory away, taking it back, and the end. */
export type HandOver = {
  /** Lets the next owner in while this process still reads: from here on every write of it throws. */
  readonly rest: () => void
  /** The opposite. Throws `internal` when another process has the directory, or a newer version has changed its tables. */
  readonly wake: () => void
  /** Moves the write-ahead log into the database if there is room, closes it and lets the next owner in. Never throws. */
  readonly close: () => void
}

/** Makes it for an open `core.db` at `path`. */
export function makeHandOver(path: string, database: Database, lock: OwnerLock): HandOver {
  let isResting = false
  return {
    rest: () => {
      isResting = true
      database.run("pragma query_only = on")
      lock.release()
    },
    wake: () => {
      lock.retake()
      try {
        refuseNewerVersion(path, readVersion(database), CORE_MIGRATIONS)
      } catch (error) {
        lock.release()
        throw error
      }
      database.run("pragma query_only = off")
      isResting = false
    },
    close: () => {
      try {
        // The next owner writes by now, and would be waited for.
        if (!isResting) database.run("pragma wal_checkpoint(truncate)")
      } catch {
        // Harmless: on a full disk the log stays beside the database, and the next start reads both.
      }
      database.close()
      lock.release()
    },
  }
}
