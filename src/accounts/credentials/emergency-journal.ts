/** The last resort for a rotated credential that neither the store nor its file could take: an fsynced line in the data directory. */

import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs"
import { join } from "node:path"

import { type JsonObject, parseJsonObject } from "#core/json.ts"

/** The journal of one data directory. */
export type EmergencyJournal = {
  /** Writes one line and syncs it. Throws the system's error. */
  readonly append: (line: JsonObject) => void
  /** The whole lines, oldest first; a line that a crash cut off is left out. */
  readonly read: () => readonly JsonObject[]
  /** Empties the journal once everything in it lies elsewhere. */
  readonly clear: () => void
  readonly close: () => void
}

/**
 * Space taken in advance, so that a full disk, the likeliest cause of a failed commit, does not stop the journal as well.
 * A line is up to about 8 KB, and no refresh starts while a commit is failing.
 */
const RESERVED_BYTES = 128 * 1024

const BLANK = Buffer.alloc(RESERVED_BYTES, "\n")

/**
 * Reads the lines of the first `usedBytes`; what follows is the reservation. A line cut off by a crash was never
 * acknowledged: it is left out, and the whole lines before it count.
 */
function readLines(path: string, usedBytes: number): readonly JsonObject[] {
  return readFileSync(path)
    .toString("utf8", 0, usedBytes)
    .split("\n")
    .filter(line => line !== "")
    .map(line => parseJsonObject(line))
    .filter(line => line !== undefined)
}

/** Compared at once: byte by byte, the reservation alone took longer than opening the database. */
const BLANK_BLOCK = BLANK.subarray(0, 4096)

/** Number of bytes up to the end of the last line that holds something. */
function countUsed(bytes: Buffer): number {
  let end = bytes.length
  while (end >= BLANK_BLOCK.length && bytes.subarray(end - BLANK_BLOCK.length, end).equals(BLANK_BLOCK)) {
    end -= BLANK_BLOCK.length
  }
  while (end > 0 && bytes[end - 1] === 10) end -= 1
  return end === 0 ? 0 : end + 1
}

/** Opens the journal at `path` (mode 0600), keeping what an earlier run left in it. */
export function openEmergencyJournal(path: string): EmergencyJournal {
  const descriptor = openSync(path, existsSync(path) ? "r+" : "w+", 0o600)
  const present = readFileSync(path)
  let endBytes = countUsed(present)
  const reserve = (): void => {
    // One byte early: a line that a crash cut off has no end of its own.
    const from = Math.max(0, endBytes - 1)
    writeSync(descriptor, BLANK, 0, Math.max(1, RESERVED_BYTES - from), from)
    fsyncSync(descriptor)
  }
  // Syncing is slow, and the reservation of an earlier run still stands.
  if (present.length < Math.max(RESERVED_BYTES, endBytes)) reserve()
  return {
    append: line => {
      const bytes = Buffer.from(`${JSON.stringify(line)}\n`)
      writeSync(descriptor, bytes, 0, bytes.length, endBytes)
      fsyncSync(descriptor)
      endBytes += bytes.length
    },
    read: () => readLines(path, endBytes),
    clear: () => {
      endBytes = 0
      reserve()
      ftruncateSync(descriptor, RESERVED_BYTES)
    },
    close: () => closeSync(descriptor),
  }
}

/** Opens the journal of a data directory. */
export function openJournalIn(dataDir: string): EmergencyJournal {
  return openEmergencyJournal(join(dataDir, "refresh-journal.ndjson"))
}
