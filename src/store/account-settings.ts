/** Rows of what operators have set for single accounts, whether those live in a file or in the database. */

import type { Database } from "bun:sqlite"

import type { AccountId } from "#core/ids.ts"

import { inDurableTransaction } from "./core-database.ts"

/** One account's settings; the text is JSON without secrets. Milliseconds. */
export type AccountSettingsRow = {
  readonly accountId: AccountId
  readonly settingsJson: string
  readonly updatedAtMs: number
}

/** Functions over the table `account_settings`. */
export type AccountSettingsRows = {
  readonly listAccountSettings: () => readonly AccountSettingsRow[]
  /** On the disk when this returns, all or none. */
  readonly writeAccountSettings: (rows: readonly AccountSettingsRow[]) => void
}

/** Prepares the statements on an open database. */
export function makeAccountSettingsRows(database: Database): AccountSettingsRows {
  const list = database.prepare<AccountSettingsRow, []>(
    "select account_id as accountId, settings_json as settingsJson, updated_at_ms as updatedAtMs from account_settings",
  )
  const write = database.prepare<null, AccountSettingsRow>(
    "insert or replace into account_settings values ($accountId, $settingsJson, $updatedAtMs)",
  )
  return {
    listAccountSettings: () => list.all(),
    writeAccountSettings: rows =>
      inDurableTransaction(database, () => {
        for (const row of rows) write.run(row)
      }),
  }
}
