/** Makes sure that one data directory has one owner: a second process is refused and told who came first. */

import { Database } from "bun:sqlite"
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs"

import { GatewayError } from "#core/errors.ts"

/** A held lock. */
export type OwnerLock = {
  /** Tells other commands where this process can be reached. */
  readonly announce: (url: string) => void
  /** Lets the next owner in; a second call does nothing. */
  readonly release: () => void
  /** Takes a lock back that was let go. Throws as {@link takeOwnerLock} when another process has it by now. */
  readonly retake: () => void
}

/** The code of the refusal when another process holds the lock. */
export const IN_USE_CODE = "data_dir_in_use"

/** Who holds a data directory; `url` is absent unless it serves there. */
export type Owner = { readonly pid: string; readonly url?: string }

const LOCK_FILE = "core.lock"
const OWNER_FILE = "core.owner"

/** True for SQLite's refusal of a file that another connection holds. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_BUSY")
}

/** Changing the mode by name opens nothing, so it drops no lock. An earlier version left these files readable to others. */
function keepPrivate(path: string): void {
  if (existsSync(path)) chmodSync(path, 0o600)
}

/** Reads who took the lock last; whether it still holds it, only {@link takeOwnerLock} tells. */
export function readOwner(dataDir: string): Owner {
  try {
    const [pid = "unknown", url] = readFileSync(`${dataDir}/${OWNER_FILE}`, "utf8").trim().split("\n")
    return { pid, ...(url !== undefined && { url }) }
  } catch {
    // Only a help: the first owner may not have written its name yet.
    return { pid: "unknown" }
  }
}

/**
 * Takes the lock of a data directory for the life of the process.
 * The lock is a SQLite transaction on a small file of its own: the kernel drops it when the process dies, however it dies,
 * and `core.db` itself stays readable for other commands. The lock file must never be opened by other means in
 * this process: closing any descriptor of a file drops a process's POSIX locks on it (https://sqlite.org/howtocorrupt.html, 2.2).
 * Throws `internal`, naming the process id and the directory, when it is taken.
 */
export function takeOwnerLock(dataDir: string, pid: number): OwnerLock {
  const ownerPath = `${dataDir}/${OWNER_FILE}`
  const write = (text: string): void => {
    writeFileSync(ownerPath, text, { mode: 0o600 })
    keepPrivate(ownerPath)
  }
  let database: Database | undefined
  const take = (): void => {
    database ??= lockFile(dataDir)
    write(`${pid}\n`)
  }
  take()
  return {
    announce: url => write(`${pid}\n${url}\n`),
    retake: take,
    release: () => {
      const held = database
      database = undefined
      if (held?.inTransaction) held.run("rollback")
      held?.close()
    },
  }
}

/** Opens the lock file in a transaction that nobody else can have at the same time. */
function lockFile(dataDir: string): Database {
  const lockPath = `${dataDir}/${LOCK_FILE}`
  const database = new Database(lockPath, { create: true, strict: true })
  try {
    // Before the journal exists: SQLite gives it the permissions of the main file.
    keepPrivate(lockPath)
    keepPrivate(`${lockPath}-journal`)
    database.run("pragma busy_timeout = 0")
    database.run("pragma locking_mode = exclusive")
    database.run("begin exclusive")
    return database
  } catch (error) {
    database.close()
    if (!isBusy(error)) throw error
    throw new GatewayError("internal", `${dataDir} is in use by process ${readOwner(dataDir).pid}.`, {
      code: IN_USE_CODE,
      hint: "Stop that process, or give this one a data directory of its own.",
      cause: error,
    })
  }
}
