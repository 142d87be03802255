/** Puts another database in the place of `core.db`: at every moment the old one or the new one is whole and found. */

import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from "node:fs"
import { join } from "node:path"

const CORE = "core.db"
/** From the moment this name exists, the restore happens: this process finishes it, or the next start does. */
const STAGED = "core.db.restoring"
const REPLACED = ["core.db", "core.db-wal", "core.db-shm"] as const

function sync(path: string): void {
  const descriptor = openSync(path, constants.O_RDONLY)
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Copies a file beside the database, on the disk and for this user alone, and has `check` look at the copy. */
export function stageRestore(dataDir: string, file: string, check: (copy: string) => void): void {
  const part = join(dataDir, `${STAGED}.part`)
  try {
    copyFileSync(file, part)
    chmodSync(part, 0o600)
    sync(part)
    check(part)
    renameSync(part, join(dataDir, STAGED))
    sync(dataDir)
  } catch (error) {
    rmSync(part, { force: true })
    throw error
  }
}

/**
 * Finishes a restore that was staged: what it replaces, and whatever `alsoAside` names, moves into a folder of its own.
 * Returns that folder; undefined when nothing was staged. The caller holds the owner lock.
 */
export function finishRestore(dataDir: string, nowMs: number, alsoAside: readonly string[] = []): string | undefined {
  const staged = join(dataDir, STAGED)
  if (!existsSync(staged)) return undefined
  const stamp = new Date(nowMs).toISOString().replaceAll(":", "").replace(".", "-")
  const aside = join(dataDir, `replaced-${stamp}`)
  mkdirSync(aside, { recursive: true, mode: 0o700 })
  // The old log as well: SQLite would write its pages into the new database.
  for (const name of [...REPLACED, ...alsoAside]) {
    if (existsSync(join(dataDir, name))) renameSync(join(dataDir, name), join(aside, name))
  }
  sync(aside)
  renameSync(staged, join(dataDir, CORE))
  sync(dataDir)
  return aside
}
