/** The secret texts of all credentials at once, for the rare times when every one is sealed anew. */

import type { Database } from "bun:sqlite"

import type { AccountId } from "#core/ids.ts"

import { inDurableTransaction } from "./core-database.ts"
import type { MetaRows } from "./meta.ts"

/** The secrets of one account's row; opaque text here. */
export type SecretRow = {
  readonly accountId: AccountId
  readonly secretJson: string
  readonly previousSecretJson: string | null
}

/** Functions over the secret columns of `credentials`. */
export type SecretRows = {
  readonly listSecrets: () => readonly SecretRow[]
  /** Rows with a secret that is stored as JSON, in clear. */
  readonly listClearSecrets: () => readonly SecretRow[]
  /**
   * Replaces the secrets and writes the named values in one durable transaction, then rewrites the file, so that no
   * replaced text stays in unused pages. A rewriting that was interrupted is made up for by the next {@link finishWipe}.
   */
  readonly replaceSecrets: (rows: readonly SecretRow[], meta: Readonly<Record<string, string>>) => void
  /** Rewrites the file if an earlier replacement could not. */
  readonly finishWipe: () => void
}

const WIPE_PENDING = "wipe-pending"

const COLUMNS = "account_id as accountId, secret_json as secretJson, previous_secret_json as previousSecretJson"

/** Prepares the statements on an open database. */
export function makeSecretRows(database: Database, meta: MetaRows): SecretRows {
  const list = database.prepare<SecretRow, []>(`select ${COLUMNS} from credentials`)
  const listClear = database.prepare<SecretRow, []>(
    `select ${COLUMNS} from credentials where secret_json like '{%' or previous_secret_json like '{%'`,
  )
  const write = database.prepare<null, SecretRow>(
    `update credentials set secret_json = $secretJson, previous_secret_json = $previousSecretJson
     where account_id = $accountId`,
  )
  const forget = database.prepare<null, [string]>("delete from meta where key = ?")
  // What an earlier version deleted may still stand there.
  const hasUnusedPages = () => database.query("pragma freelist_count").values()[0]?.[0] !== 0
  const finishWipe = (): void => {
    if (meta.readMeta(WIPE_PENDING) === undefined) return
    database.run("vacuum")
    // The write-ahead log holds pages from before until it is cut.
    database.run("pragma wal_checkpoint(truncate)")
    forget.run(WIPE_PENDING)
  }
  return {
    listSecrets: () => list.all(),
    listClearSecrets: () => listClear.all(),
    replaceSecrets: (rows, values) => {
      inDurableTransaction(database, () => {
        for (const row of rows) write.run(row)
        for (const [key, value] of Object.entries(values)) meta.writeMeta(key, value)
        if (rows.length > 0 || hasUnusedPages()) meta.writeMeta(WIPE_PENDING, "1")
      })
      finishWipe()
    },
    finishWipe,
  }
}
