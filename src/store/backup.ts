/** Copies of `core.db` in one file: made from the open database, and looked at before anybody relies on them. */

import type { Database } from "bun:sqlite"
import { closeSync, openSync } from "node:fs"

import { GatewayError } from "#core/errors.ts"

import type { BackupOrder, BackupReply } from "./backup-worker.ts"
import { sizeBytes } from "./core-database.ts"
import { CORE_MIGRATIONS, readVersion, refuseNewerVersion } from "./migrations.ts"
import { peek } from "./peek-meta.ts"

/** What a backup holds. */
export type BackupFacts = { readonly accounts: number; readonly credentials: number; readonly version: number }

/** Where a compiled program's files seem to lie, on Windows and elsewhere. */
const COMPILED = /\$bunfs|~BUN/

/** Name of the thread's file inside the binary, as `scripts/build-binary.ts` puts it there. */
const INSIDE_BINARY = "./store/backup-worker.ts"

/**
 * Writes everything that is committed in the database at `from` into a new file, for this user alone, on a thread of its own.
 * Free pages, and with them what was deleted, are not in it. Rejects with `internal` when the file exists or the disk is full.
 */
export async function backUpDatabase(from: string, into: string): Promise<void> {
  closeSync(openSync(into, "wx", 0o600))
  const isCompiled = COMPILED.test(import.meta.url)
  const worker = new Worker(isCompiled ? INSIDE_BINARY : new URL("./backup-worker.ts", import.meta.url).href)
  try {
    const { promise, resolve, reject } = Promise.withResolvers<BackupReply>()
    worker.addEventListener("message", (event: MessageEvent<BackupReply>) => resolve(event.data))
    worker.addEventListener("error", event => reject(new Error(event.message)))
    worker.postMessage({ from, into } satisfies BackupOrder)
    const { failure } = await promise
    if (failure === undefined) return
    throw new GatewayError("internal", `The database could not be copied: ${failure}`, {
      hint: "The copy is made in `data-dir` first: make room there, and try again.",
    })
  } finally {
    worker.terminate()
  }
}

/** The refusal of a file that is no backup. */
function noBackup(path: string, reason: string, cause?: unknown): GatewayError {
  return new GatewayError("invalid-request", `${path} cannot be used as a backup: ${reason}.`, {
    code: "no_backup",
    hint: "Nothing was changed. Take another file that `sluice backup` has written.",
    cause,
  })
}

/** Reads the whole file and says what it holds; not a byte of it changes. Throws `invalid-request` for one that is damaged or no backup. */
export function inspectBackup(path: string): BackupFacts {
  const size = sizeBytes(path)
  if (size === undefined) throw noBackup(path, "there is no such file")
  if (size === 0) throw noBackup(path, "it is empty")
  if ((sizeBytes(`${path}-wal`) ?? 0) > 0) {
    throw noBackup(path, "a write-ahead log lies beside it, so it is a copy of a database in use and not whole")
  }
  try {
    return peek(path, readFacts) ?? { accounts: 0, credentials: 0, version: 0 }
  } catch (error) {
    const isOurs = error instanceof GatewayError && error.cause === undefined
    const reason = error instanceof GatewayError && error.cause instanceof Error ? error.cause.message : undefined
    throw noBackup(path, reason ?? (isOurs ? error.message.replace(/\.$/, "") : "it cannot be read"), error)
  }
}

function readFacts(database: Database): BackupFacts {
  const [damage] = database.query<{ integrity_check: string }, []>("pragma integrity_check(1)").all()
  if (damage?.integrity_check !== "ok") throw new GatewayError("internal", damage?.integrity_check ?? "no answer")
  const version = readVersion(database)
  refuseNewerVersion(database.filename, version, CORE_MIGRATIONS)
  const tables = database
    .query<{ name: string }, []>("select name from sqlite_schema where name in ('meta', 'credentials')")
    .all()
  if (tables.length < 2) throw new GatewayError("internal", "it is a database of another program")
  const count = (table: "accounts" | "credentials") =>
    database.query<{ count: number }, []>(`select count(*) as count from ${table}`).get()?.count ?? 0
  // Databases of before the second step have no table of accounts.
  return { accounts: version < 2 ? 0 : count("accounts"), credentials: count("credentials"), version }
}
