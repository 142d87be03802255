/** What was there before a setup: the original's bytes beside the file, and a note on how to get back to it. */

import { readBytes } from "#cli/clients/client-files.ts"
import { GatewayError } from "#core/errors.ts"
import { arrayAt, numberAt, parseJsonObject, stringAt } from "#core/json.ts"

import { PRIVATE_MODE, writeFileWhole } from "./write-file.ts"

/** How to get back. Hashes are of the file's bytes. */
export type Note = {
  readonly existed: boolean
  /** Permission bits of the original; 0 where there was none. */
  readonly mode: number
  readonly originalSha256: string
  /** What the last setup has written. */
  readonly writtenSha256: string
  /** Somebody else had changed the file between two setups: going back would drop that. */
  readonly isMixed: boolean
  /** Folders that were made for the file, the innermost first. */
  readonly folders: readonly string[]
}

/** Where the original's bytes are kept. */
export function backupPath(path: string): string {
  return `${path}.before-sluice`
}

/** Where the note is kept. */
export function notePath(path: string): string {
  return `${path}.sluice-setup.json`
}

/** Hash of a file's bytes; of nothing, where there is no file. */
export function sha256(bytes: string | Uint8Array<ArrayBuffer> | undefined): string {
  return bytes === undefined ? "" : new Bun.CryptoHasher("sha256").update(bytes).digest("hex")
}

/** Reads the note of a file; undefined when no setup has changed it. Rejects for one that cannot be understood. */
export async function readNote(path: string): Promise<Note | undefined> {
  const bytes = await readBytes(notePath(path))
  if (bytes === undefined) return undefined
  const note = parseJsonObject(new TextDecoder().decode(bytes))
  const originalSha256 = note === undefined ? undefined : stringAt(note, "originalSha256")
  const writtenSha256 = note === undefined ? undefined : stringAt(note, "writtenSha256")
  if (note === undefined || originalSha256 === undefined || writtenSha256 === undefined) {
    throw new GatewayError("invalid-request", `${notePath(path)} cannot be understood.`, {
      hint: `The original, if there was one, is in ${backupPath(path)}: put it back by hand and remove both files.`,
    })
  }
  return {
    existed: note["existed"] === true,
    mode: numberAt(note, "mode") ?? PRIVATE_MODE,
    originalSha256,
    writtenSha256,
    isMixed: note["isMixed"] === true,
    folders: (arrayAt(note, "folders") ?? []).filter(one => typeof one === "string"),
  }
}

/** Writes the note of a file. */
export function writeNote(path: string, note: Note): Promise<void> {
  return writeFileWhole(notePath(path), `${JSON.stringify(note, undefined, 2)}\n`, PRIVATE_MODE)
}
