/** Opens `core.db`: directory, permissions, pragmas, integrity, migrations. */

import { Database } from "bun:sqlite"
import { chmodSync, existsSync, mkdirSync, statSync } from "node:fs"
import { dirname } from "node:path"

import { GatewayError } from "#core/errors.ts"

import { CORE_MIGRATIONS, type Migration, migrate } from "./migrations.ts"

const BUSY_TIMEOUT_MS = 5000
/** Twice what it holds between two checkpoints. */
const WAL_KEPT_BYTES = 8 * 1024 * 1024

/** Creates the data directory for this user alone; an existing one keeps its permissions. */
export function makeDataDirectory(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
}

/** The refusal of a file that cannot be a database of ours. */
export function unusable(path: string, reason: string, cause?: unknown): GatewayError {
  return new GatewayError("internal", `${path} is damaged: ${reason}. It was left as it is.`, {
    hint: `Move ${path} away together with its -wal and -shm files, or put a backup in its place with \`sluice restore FILE\`, and start again.`,
    cause,
  })
}

/** Size of a file, undefined when there is none. */
export function sizeBytes(path: string): number | undefined {
  return existsSync(path) ? statSync(path).size : undefined
}

/**
 * Refuses what SQLite would silently take for a new database: an empty file, or a lost main file beside a write-ahead log
 * that still holds committed rows (SQLite deletes that log).
 */
export function refuseLostFile(path: string): void {
  const size = sizeBytes(path)
  if (size === 0) throw unusable(path, "the file is empty")
  if (size === undefined && (sizeBytes(`${path}-wal`) ?? 0) > 0) throw unusable(path, "only its -wal file is left")
}

function prepare(database: Database, path: string, migrations: readonly Migration[]): void {
  // First of all, so that the pragmas below wait for a reader instead of failing.
  database.run(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`)
  // Before anything that may write: a damaged file stays as it is.
  const check = database.query<{ quick_check: string }, []>("pragma quick_check(1)").get()
  if (check?.quick_check !== "ok") throw unusable(path, check?.quick_check ?? "the integrity check gave no answer")
  // Before the -wal and -shm files exist: SQLite gives them the permissions of the main file.
  chmodSync(path, 0o600)
  database.run("pragma journal_mode = wal")
  database.run("pragma synchronous = normal")
  // What a reader has made the write-ahead log grow to is given back to the disk.
  database.run(`pragma journal_size_limit = ${WAL_KEPT_BYTES}`)
  database.run("pragma foreign_keys = on")
  // Deleted and replaced text is overwritten at once instead of staying in unused pages.
  database.run("pragma secure_delete = on")
  migrate(database, migrations)
}

/**
 * Opens or creates the database at `path`. Throws `internal` with the file's name when it is damaged or newer than this
 * program; a damaged file is never written to. The caller holds the owner lock of its directory.
 */
export function openCoreDatabase(path: string, migrations: readonly Migration[] = CORE_MIGRATIONS): Database {
  makeDataDirectory(dirname(path))
  refuseLostFile(path)
  const database = new Database(path, { create: true, strict: true })
  try {
    prepare(database, path, migrations)
    return database
  } catch (error) {
    database.close()
    if (error instanceof GatewayError) throw error
    throw unusable(path, error instanceof Error ? error.message : "it cannot be read", error)
  }
}

/** Runs `change` in one transaction that is on the disk, not only in the system's cache, when this returns. */
export function inDurableTransaction(database: Database, change: () => void): void {
  // Has no effect inside a transaction, hence around it. https://sqlite.org/pragma.html#pragma_synchronous
  database.run("pragma synchronous = full")
  try {
    database.transaction(change).immediate()
  } finally {
    database.run("pragma synchronous = normal")
  }
}
