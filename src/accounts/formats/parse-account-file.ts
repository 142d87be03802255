/** The text of an account file → drafts, and what could not be read of it. */

import { GatewayError } from "#core/errors.ts"

import type { AccountDraft, FileFault } from "./account-draft.ts"
import { decodeEntry } from "./decode-entry.ts"
import { type FileEntry, readFileLayout, withoutByteOrderMark } from "./file-layout.ts"

/** What a file came to. */
export type ParsedAccountFile = { readonly drafts: readonly AccountDraft[]; readonly faults: readonly FileFault[] }

/** Names the entry in files that hold several. */
function nameEntry(entry: FileEntry, kind: "object" | "array" | "lines"): string {
  switch (kind) {
    case "object":
      return ""
    case "array":
      return `entry ${entry.index + 1}: `
    case "lines":
      return `line ${(entry.line ?? entry.index) + 1}: `
  }
}

/**
 * Reads a file's text. A broken entry becomes a fault and leaves the others alone.
 * Throws `invalid-request` when nothing of the file can be read; the message names the place, never a value.
 */
export function parseAccountFile(text: string): ParsedAccountFile {
  const layout = readFileLayout(withoutByteOrderMark(text))
  const drafts: AccountDraft[] = []
  const faults: FileFault[] = [...layout.faults]
  for (const entry of layout.entries) {
    try {
      drafts.push(decodeEntry(entry.value, entry.index))
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      faults.push({ index: entry.index, reason: nameEntry(entry, layout.kind) + error.message })
    }
  }
  return { drafts, faults }
}
