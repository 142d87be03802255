/** Moves what the emergency journal kept into the store. */

import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import { type JsonObject, numberAt, stringAt } from "#core/json.ts"

import type { CredentialVault, VaultRow } from "./credential-vault.ts"
import type { EmergencyJournal } from "./emergency-journal.ts"

/** Reads a journal line back. Throws `internal` when a whole line is not a row: nothing may be dropped silently. */
function readRow(line: JsonObject): VaultRow {
  const accountId = stringAt(line, "accountId")
  const fingerprint = stringAt(line, "fingerprint")
  const secretJson = stringAt(line, "secretJson")
  const generation = numberAt(line, "generation")
  const updatedAtMs = numberAt(line, "updatedAtMs")
  const isWhole = accountId !== undefined && fingerprint !== undefined && secretJson !== undefined
  if (!isWhole || generation === undefined || updatedAtMs === undefined) {
    throw new GatewayError("internal", "The emergency journal holds a line that is not a credential.", {
      hint: "Keep a copy of the journal in the data directory, then remove it to start without it.",
    })
  }
  return {
    // Written by `rowOf`, where it was an account's id.
    accountId: accountId as AccountId,
    fingerprint,
    secretJson,
    generation,
    previousFingerprint: stringAt(line, "previousFingerprint") ?? null,
    previousSecretJson: stringAt(line, "previousSecretJson") ?? null,
    previousAtMs: numberAt(line, "previousAtMs") ?? null,
    updatedAtMs,
  }
}

/**
 * Commits every line's row and empties the journal. Returns how many there were. Throws `internal`, the journal being as it
 * was, when the store does not take them.
 */
export function recoverJournal(journal: EmergencyJournal, vault: Pick<CredentialVault, "commitKept">): number {
  const rows = journal.read().map(readRow)
  if (rows.length === 0) return 0
  try {
    vault.commitKept(rows)
    journal.clear()
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unexpected error"
    throw new GatewayError("internal", `core.db cannot take what the emergency journal keeps for it (${reason}).`, {
      hint: "Make room on the disk of the data directory, and start again. Keep refresh-journal.ndjson: it alone has some credentials.",
      cause,
    })
  }
  return rows.length
}
