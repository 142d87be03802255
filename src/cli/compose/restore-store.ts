/** Puts a backup in the place of the database of a data folder that nobody uses. */

import { join } from "node:path"

import { openJournalIn } from "#accounts/credentials/emergency-journal.ts"
import type { KeySlots } from "#accounts/secrets/key-slots.ts"
import type { KeyFacts } from "#accounts/secrets/sealed-rows.ts"
import { systemClock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { type BackupFacts, inspectBackup } from "#store/backup.ts"
import { finishRestore, stageRestore } from "#store/restore-files.ts"

import { lockFolder } from "./lock-folder.ts"
import { keyFactsOf, refuseWrongKey } from "./restore-key.ts"

/** What a restore needs. */
export type RestoreParts = {
  readonly dataDir: string
  readonly slots: Pick<KeySlots, "read" | "where">
  readonly file: string
  /** Told before each step that may take a while. */
  readonly onStep: (what: string) => void
}

/** What was restored. `replaced` is the folder that has the old files; undefined = there were none. */
export type Restored = BackupFacts & { readonly keyId: string | null; readonly replaced: string | undefined }

const JOURNAL = "refresh-journal.ndjson"

/**
 * Checks everything first: the folder's lock, the file, and that the key here opens it. Rejects with `internal` or
 * `invalid-request`, naming what is in the way; nothing has been touched then.
 */
export async function restoreStore({ dataDir, slots, file, onStep }: RestoreParts): Promise<Restored> {
  const lock = lockFolder(dataDir)
  try {
    onStep(`checking ${file}`)
    const facts = inspectBackup(file)
    const key = keyFactsOf(file)
    await refuseWrongKey(key, slots)
    onStep("copying it into place")
    const alsoAside = journalToPutAside(dataDir, key)
    const replaced = putInPlace(dataDir, file, alsoAside)
    return { ...facts, keyId: key.keyId ?? null, replaced }
  } finally {
    lock.release()
  }
}

function putInPlace(dataDir: string, file: string, alsoAside: readonly string[]): string | undefined {
  try {
    stageRestore(dataDir, file, inspectBackup)
    return finishRestore(dataDir, systemClock(), alsoAside)
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new GatewayError("internal", `The backup could not be put into ${dataDir}: ${reason}`, {
      hint: "Make room on its disk or give this user the right to write there, and try again. Nothing is lost: what it would replace is in the folder, or in `replaced-…` there.",
      cause,
    })
  }
}

/** What the journal keeps is newer than any backup, and stays; unless the backup's key cannot open it. */
function journalToPutAside(dataDir: string, backup: KeyFacts): readonly string[] {
  const journal = openJournalIn(dataDir)
  try {
    if (journal.read().length === 0) return []
    return keyIdOf(join(dataDir, "core.db")) === backup.keyId ? [] : [JOURNAL]
  } finally {
    journal.close()
  }
}

function keyIdOf(path: string): string | undefined {
  try {
    return keyFactsOf(path).keyId
  } catch {
    // The database that is replaced may be damaged; then nobody knows, and the journal is kept apart.
    return undefined
  }
}
