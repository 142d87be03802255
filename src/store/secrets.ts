/** All secret texts of the database at once, for the rare times when every one is sealed anew. */

import type { Database } from "bun:sqlite"

import { inDurableTransaction } from "./core-database.ts"
import type { MetaRows } from "./meta.ts"

/** The secrets of one row; opaque text here. */
export type SecretRow = {
  readonly table: "credentials" | "sealed_values"
  /** The row's key: an account's id, or the name of a sealed value. */
  readonly accountId: string
  readonly secretJson: string
  readonly previousSecretJson: string | null
}

/** Functions over every column with secrets. */
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

const COLUMNS = `select 'credentials' as "table", account_id as accountId, secret_json as secretJson,
    previous_secret_json as previousSecretJson from credentials
  union all select 'sealed_values', name, secret_json, null from sealed_values`

/** Prepares the statements on an open database. */
export function makeSecretRows(database: Database, meta: MetaRows): SecretRows {
  const list = database.prepare<SecretRow, []>(COLUMNS)
  const listClear = database.prepare<SecretRow, []>(
    `select * from (${COLUMNS}) where secretJson like '{%' or previousSecretJson like '{%'`,
  )
  const write = {
    credentials: database.prepare<null, [string, string | null, string]>(
      "update credentials set secret_json = ?, previous_secret_json = ? where account_id = ?",
    ),
    sealed_values: database.prepare<null, [string, string]>("update sealed_values set secret_json = ? where name = ?"),
  }
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
        for (const { table, accountId, secretJson, previousSecretJson } of rows) {
          if (table === "credentials") write.credentials.run(secretJson, previousSecretJson, accountId)
          else write.sealed_values.run(secretJson, accountId)
        }
        for (const [key, value] of Object.entries(values)) meta.writeMeta(key, value)
        if (rows.length > 0 || hasUnusedPages()) meta.writeMeta(WIPE_PENDING, "1")
      })
      finishWipe()
    },
    finishWipe,
  }
}
