/** Where a master key is kept: the contract of key file, environment and keychain, and the key file itself. */

import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs"
import { dirname } from "node:path"

import { GatewayError } from "#core/errors.ts"

import { type MasterKey, parseMasterKey, writeMasterKey } from "./master-key.ts"

/** `next` and `previous` are in use during a change of the key only. */
export type KeySlot = "current" | "next" | "previous"

/** A place that keeps keys. Each function throws `internal` with what to do when the place cannot be used. */
export type KeySlots = {
  readonly source: "env" | "file" | "keychain"
  /** The place in words: a path, a variable, an entry. */
  readonly where: string
  /** False for a place that only its operator changes. */
  readonly isWritable: boolean
  readonly read: (slot: KeySlot) => Promise<MasterKey | undefined>
  /** Whole or not at all, and lasting when it resolves. */
  readonly write: (slot: KeySlot, key: MasterKey) => Promise<void>
  readonly remove: (slot: KeySlot) => Promise<void>
}

const TEMPORARY = ".tmp"
const SUFFIXES: Readonly<Record<KeySlot, string>> = { current: "", next: ".new", previous: ".old" }

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unexpected error"
}

/** Throws for a file that others than its owner can read; Windows keeps no such bits. */
function refuseOpenFile(path: string): void {
  if (process.platform === "win32") return
  const mode = statSync(path).mode & 0o777
  if ((mode & 0o077) === 0) return
  throw new GatewayError("internal", `${path} can be read by others (mode ${mode.toString(8).padStart(4, "0")}).`, {
    hint: `Run \`chmod 600 ${path}\`. If others may have read it, change the key with \`sluice keys rotate-master\` afterwards.`,
  })
}

/** Reads the key in a file; undefined when there is none. Throws `internal` for an unsafe, unreadable or wrong one. */
export function readKeyFile(path: string): MasterKey | undefined {
  try {
    refuseOpenFile(path)
    return parseMasterKey(readFileSync(path, "utf8"), path)
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause
    if (codeOf(cause) === "ENOENT") return undefined
    throw new GatewayError("internal", `The master key ${path} cannot be read (${codeOf(cause)}).`, {
      hint: "Let this user read it, or name another file with `master-key-file`.",
      cause,
    })
  }
}

function syncDirectory(path: string): void {
  // Windows has no handle of a directory to sync.
  if (process.platform === "win32") return
  const descriptor = openSync(path, "r")
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function writeSynced(path: string, text: string): void {
  const descriptor = openSync(path, "w", 0o600)
  try {
    // A leftover of an earlier attempt keeps the mode it had.
    chmodSync(path, 0o600)
    writeSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Writes a key (mode 0600): beside, synced, renamed, directory synced. Throws `internal`. */
export function writeKeyFile(path: string, key: MasterKey): void {
  const temporary = path + TEMPORARY
  try {
    writeSynced(temporary, `${writeMasterKey(key)}\n`)
    renameSync(temporary, path)
    syncDirectory(dirname(path))
  } catch (cause) {
    rmSync(temporary, { force: true })
    throw new GatewayError("internal", `The master key cannot be written to ${path} (${codeOf(cause)}).`, {
      hint: "Let this user write there, or name another file with `master-key-file`.",
      cause,
    })
  }
}

/** Removes a key file if it is there. A read-only folder refuses to remove even what is not, hence the look. */
function removeKeyFile(path: string): void {
  if (!existsSync(path)) return
  try {
    rmSync(path)
  } catch (cause) {
    throw new GatewayError("internal", `The old master key ${path} cannot be removed (${codeOf(cause)}).`, {
      hint: "Remove it by hand, or let this user write to its folder.",
      cause,
    })
  }
}

/** Keeps the key in the file at `path`, beside it `.new` and `.old` while it is being changed. */
export function fileKeySlots(path: string): KeySlots {
  return {
    source: "file",
    where: path,
    isWritable: true,
    read: async slot => readKeyFile(path + SUFFIXES[slot]),
    write: async (slot, key) => writeKeyFile(path + SUFFIXES[slot], key),
    remove: async slot => {
      for (const end of ["", TEMPORARY]) removeKeyFile(path + SUFFIXES[slot] + end)
    },
  }
}

/** Takes the key from a variable's text; changing it is up to whoever sets the variable. */
export function envKeySlots(name: string, text: string): KeySlots {
  const refuseChange = async () => {
    throw new GatewayError("internal", `${name} can only be changed by whoever sets it.`)
  }
  return {
    source: "env",
    where: name,
    isWritable: false,
    read: async slot => (slot === "current" ? parseMasterKey(text, name) : undefined),
    write: refuseChange,
    remove: refuseChange,
  }
}
