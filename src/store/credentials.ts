/** Rows of rotated credentials: the newest pair of each account and, for a week, the one before. */

import type { Database, Statement } from "bun:sqlite"

import type { AccountId } from "#core/ids.ts"

import { inDurableTransaction } from "./core-database.ts"

/** One account's newest credential. Secrets are opaque text here; fingerprints reveal nothing. Times in milliseconds. */
export type CredentialRow = {
  readonly accountId: AccountId
  readonly fingerprint: string
  readonly secretJson: string
  readonly generation: number
  readonly previousFingerprint: string | null
  readonly previousSecretJson: string | null
  readonly previousAtMs: number | null
  readonly updatedAtMs: number
}

/** What rows can be found by, without their secrets. */
export type CredentialKeys = Pick<CredentialRow, "accountId" | "fingerprint" | "previousFingerprint">

/** Functions over the table `credentials`. */
export type CredentialRows = {
  readonly readCredential: (accountId: AccountId) => CredentialRow | undefined
  readonly listCredentialKeys: () => readonly CredentialKeys[]
  /** Rows whose current or previous refresh token has this fingerprint. */
  readonly findCredentials: (fingerprint: string) => readonly CredentialRow[]
  /**
   * Writes the rows and deletes the refresh intents of their previous fingerprints, all or nothing, fsynced before it
   * returns. A row of a lower generation than the stored one is left out.
   */
  readonly commitCredentials: (rows: readonly CredentialRow[]) => void
  /** Wipes previous secrets that were replaced before `beforeMs`; their fingerprints stay. Returns how many. */
  readonly wipePreviousCredentials: (beforeMs: number) => number
}

const COLUMNS = `account_id as accountId, fingerprint, secret_json as secretJson, generation,
  previous_fingerprint as previousFingerprint, previous_secret_json as previousSecretJson,
  previous_at_ms as previousAtMs, updated_at_ms as updatedAtMs`

/** Prepares the statement that writes one row, unless a higher generation is stored. */
export function prepareCredentialWrite(database: Database): Statement<null, [CredentialRow]> {
  return database.prepare<null, CredentialRow>(
    `insert into credentials values ($accountId, $fingerprint, $secretJson, $generation,
       $previousFingerprint, $previousSecretJson, $previousAtMs, $updatedAtMs)
     on conflict (account_id) do update set fingerprint = excluded.fingerprint, secret_json = excluded.secret_json,
       generation = excluded.generation, previous_fingerprint = excluded.previous_fingerprint,
       previous_secret_json = excluded.previous_secret_json, previous_at_ms = excluded.previous_at_ms,
       updated_at_ms = excluded.updated_at_ms
     where excluded.generation >= credentials.generation`,
  )
}

/** Prepares the statements on an open database. */
export function makeCredentialRows(database: Database): CredentialRows {
  const read = database.prepare<CredentialRow, [string]>(`select ${COLUMNS} from credentials where account_id = ?`)
  const listKeys = database.prepare<CredentialKeys, []>(
    `select account_id as accountId, fingerprint, previous_fingerprint as previousFingerprint from credentials`,
  )
  const find = database.prepare<CredentialRow, [string, string]>(
    `select ${COLUMNS} from credentials where fingerprint = ? or previous_fingerprint = ?`,
  )
  const write = prepareCredentialWrite(database)
  const forgetIntent = database.prepare<null, [string | null]>("delete from refresh_intents where fingerprint = ?")
  const wipe = database.prepare<null, [number]>(
    "update credentials set previous_secret_json = null where previous_secret_json is not null and previous_at_ms < ?",
  )
  return {
    readCredential: accountId => read.get(accountId) ?? undefined,
    listCredentialKeys: () => listKeys.all(),
    findCredentials: fingerprint => find.all(fingerprint, fingerprint),
    commitCredentials: rows =>
      inDurableTransaction(database, () => {
        for (const row of rows) {
          write.run(row)
          forgetIntent.run(row.previousFingerprint)
        }
      }),
    wipePreviousCredentials: beforeMs => wipe.run(beforeMs).changes,
  }
}
