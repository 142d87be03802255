/** Opens `log.db`, which may be lost without harm: what cannot be used is put aside, and a new one begins. */

import { Database } from "bun:sqlite"
import { chmodSync, closeSync, existsSync, openSync, readSync, renameSync, statSync } from "node:fs"

import { GatewayError } from "#core/errors.ts"
import { type Migration, migrate } from "#store/migrations.ts"

import start from "./migrations/0001-log.sql" with { type: "text" }

/** All steps of `log.db`, ascending and without gaps. */
const LOG_MIGRATIONS: readonly Migration[] = [{ version: 1, sql: start }]

/** An open log. `setAside` names where one was put that could not be used, and why. */
export type OpenedLog = {
  readonly database: Database
  readonly setAside: { readonly path: string; readonly reason: string } | undefined
}

/** Nobody waits on the event loop for a lock: what cannot be written now is written with the next batch. */
const BUSY_TIMEOUT_MS = 0
/** Four times the usual: fewer, longer checkpoints cost less in all. https://sqlite.org/pragma.html#pragma_wal_autocheckpoint */
const CHECKPOINT_PAGES = 4_000
/** What a reader has made the write-ahead log grow to is given back to the disk beyond this. */
const WAL_KEPT_BYTES = 32 * 1024 * 1024

/** SQLite's codes for a file that is no database, or one that has been damaged. */
const DAMAGED: ReadonlySet<string> = new Set(["SQLITE_CORRUPT", "SQLITE_NOTADB"])

/** True for a failure that says the file itself is unusable; a full disk or a lock does not. */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false
  const code = String(error.code)
  return DAMAGED.has(code) || code.startsWith("SQLITE_CORRUPT_")
}

/** Where the file's header says how large a page is and how many there are. https://sqlite.org/fileformat2.html#the_database_header */
const PAGE_SIZE_AT = 16
const PAGE_COUNT_AT = 28
const HEADER_BYTES = 32

/**
 * A copy that broke off, or a disk that lost the end: SQLite would notice at the first row it misses. A whole check of a
 * large log takes seconds, and the log may be lost; damage inside is noticed when it is met.
 */
function isCutOff(path: string): boolean {
  // With a write-ahead log the file may lawfully be behind its header.
  const hasLog = existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0
  if (!existsSync(path) || hasLog || statSync(path).size < HEADER_BYTES) return false
  const header = Buffer.alloc(HEADER_BYTES)
  const descriptor = openSync(path, "r")
  try {
    readSync(descriptor, header, 0, HEADER_BYTES, 0)
  } finally {
    closeSync(descriptor)
  }
  const stated = header.readUInt16BE(PAGE_SIZE_AT)
  // The value 1 stands for 65,536, which does not fit.
  const pageBytes = stated === 1 ? 65_536 : stated
  return (
    header.toString("latin1", 0, 15) === "SQLite format 3" &&
    statSync(path).size < pageBytes * header.readUInt32BE(PAGE_COUNT_AT)
  )
}

function open(path: string): Database {
  if (isCutOff(path)) throw new GatewayError("internal", "the end of the file is missing")
  const database = new Database(path, { create: true, strict: true })
  try {
    database.run(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`)
    // Reads the first page: a file that is no database fails here, and nothing has been written to it.
    database.query("select count(*) from sqlite_schema").get()
    chmodSync(path, 0o600)
    database.run("pragma auto_vacuum = incremental")
    database.run("pragma journal_mode = wal")
    database.run("pragma synchronous = normal")
    database.run(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
    database.run(`pragma journal_size_limit = ${WAL_KEPT_BYTES}`)
    migrate(database, LOG_MIGRATIONS)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Moves a log and what belongs to it to a name of its own; the new one cannot take frames of the old for its own. */
function putAside(path: string, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(":", "").replace(".", "-")
  const aside = `${path}.damaged-${stamp}`
  for (const suffix of ["", "-wal", "-shm"]) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix)
  }
  return aside
}

/** A damaged file, and one of a version whose tables this one does not know. */
function isUnusable(error: unknown): boolean {
  return isDamage(error) || error instanceof GatewayError
}

/** Opens or creates it. Throws SQLite's or the system's error when the folder cannot be written to. */
export function openLogDatabase(path: string, nowMs: number): OpenedLog {
  try {
    return { database: open(path), setAside: undefined }
  } catch (error) {
    if (!isUnusable(error)) throw error
    const aside = putAside(path, nowMs)
    const reason = error instanceof Error ? error.message : String(error)
    return { database: open(path), setAside: { path: aside, reason } }
  }
}

/** Puts a log aside that turned out to be damaged while it was in use; it is closed. Returns where it lies. */
export function abandonLog(database: Database, path: string, nowMs: number): string {
  database.close()
  return putAside(path, nowMs)
}
