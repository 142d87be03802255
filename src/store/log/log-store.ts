/** One open `log.db` behind plain functions. Nothing in it is needed to serve. */

import { existsSync, statSync } from "node:fs"

import { type AccountLogRows, makeAccountLogRows } from "./account-rows.ts"
import { abandonLog, openLogDatabase } from "./log-database.ts"
import { makeRequestRows, type RequestRows } from "./request-rows.ts"
import { makeRollRows, type RollRows } from "./roll-rows.ts"
import { makeUpkeepRows, type UpkeepRows } from "./upkeep-rows.ts"

/** Every function of the log. All are synchronous; each is one statement or one transaction. */
export type LogStore = RequestRows &
  RollRows &
  AccountLogRows &
  UpkeepRows & {
    /** Where a log was put that could not be used, and why; undefined = this one was there, or there was none. */
    readonly setAside: { readonly path: string; readonly reason: string } | undefined
    /** False once somebody has deleted the file under it: what is written then is lost at the end of the process. */
    readonly isThere: () => boolean
    /** Size of the write-ahead log. */
    readonly walBytes: () => number
    /** Tries to move the write-ahead log into the file and to begin it anew. False while a reader is in the way. */
    readonly checkpoint: () => boolean
    /** Closes a log that turned out to be damaged and moves it away; returns where to. */
    readonly abandon: (nowMs: number) => string
    /** Never throws. */
    readonly close: () => void
  }

/** Opens or creates the log at `path`. Throws the system's error when that is not possible. */
export function openLogStore(path: string, nowMs: number): LogStore {
  const { database, setAside } = openLogDatabase(path, nowMs)
  const inode = statSync(path).ino
  const checkpoint = database.prepare<{ busy: number }, []>("pragma wal_checkpoint(truncate)")
  return {
    ...makeRequestRows(database),
    ...makeRollRows(database),
    ...makeAccountLogRows(database),
    ...makeUpkeepRows(database),
    setAside,
    isThere: () => existsSync(path) && statSync(path).ino === inode,
    walBytes: () => (existsSync(`${path}-wal`) ? statSync(`${path}-wal`).size : 0),
    checkpoint: () => checkpoint.get()?.busy === 0,
    abandon: nowMs => abandonLog(database, path, nowMs),
    close: () => {
      try {
        checkpoint.get()
      } catch {
        // Harmless: on a full disk the write-ahead log stays beside the file, and the next start reads both.
      }
      database.close()
    },
  }
}
