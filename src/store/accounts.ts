/** Rows of the accounts that live in the database rather than in a file; their secrets are in `credentials`. */

import type { Database } from "bun:sqlite"

import type { AccountId, ProviderId } from "#core/ids.ts"

import { inDurableTransaction } from "./core-database.ts"
import { type CredentialRow, prepareCredentialWrite } from "./credentials.ts"
import { prepareSealedWrite, type SealedValueRow } from "./sealed-values.ts"

/** Who an account is; nothing in it is secret. `fedramp` is 0 or 1, times are in milliseconds. */
export type AccountRow = {
  readonly accountId: AccountId
  readonly provider: ProviderId
  readonly label: string
  readonly email: string | null
  readonly plan: string | null
  readonly workspaceId: string | null
  readonly userId: string | null
  readonly fedramp: number
  /** Where it came from: a format's name, `sign-in`, … */
  readonly origin: string
  readonly createdAtMs: number
}

/** An account with what its credential's row says. */
export type StoredAccountRow = AccountRow & Pick<CredentialRow, "secretJson" | "generation">

/** An account that goes on under another id; `sealed` is written in the same step. */
export type Renaming = { readonly from: AccountId; readonly into: AccountId; readonly sealed?: SealedValueRow }

/** Functions over the table `accounts`. */
export type AccountRows = {
  readonly listAccounts: () => readonly StoredAccountRow[]
  /**
   * Writes accounts with their credentials, all or nothing. `isDurable`: on the disk when this returns, and with it every
   * earlier write. `renamed`: what is kept under the former id is deleted in the same step, but for the notes of exchanges,
   * one of which may be under way: they go over. A credential of a lower generation than the stored one is left out; an
   * account keeps its first origin and age.
   */
  readonly putAccounts: (
    accounts: readonly AccountRow[],
    credentials: readonly CredentialRow[],
    options: { readonly isDurable: boolean; readonly renamed?: Renaming },
  ) => void
  /** Deletes everything that is kept of these accounts, on the disk when this returns. */
  readonly deleteAccounts: (ids: readonly AccountId[]) => void
}

/** Prepares the statements on an open database. */
export function makeAccountRows(database: Database): AccountRows {
  const list = database.prepare<StoredAccountRow, []>(
    `select a.account_id as accountId, provider, label, email, plan, workspace_id as workspaceId, user_id as userId,
       fedramp, origin, created_at_ms as createdAtMs, secret_json as secretJson, generation
     from accounts a join credentials c on c.account_id = a.account_id order by a.rowid`,
  )
  const write = database.prepare<null, AccountRow>(
    `insert into accounts values ($accountId, $provider, $label, $email, $plan, $workspaceId, $userId, $fedramp, $origin,
       $createdAtMs)
     on conflict (account_id) do update set provider = excluded.provider, label = excluded.label, email = excluded.email,
       plan = excluded.plan, workspace_id = excluded.workspace_id, user_id = excluded.user_id, fedramp = excluded.fedramp`,
  )
  const writeCredential = prepareCredentialWrite(database)
  const deletions = ["accounts", "credentials", "account_settings", "refresh_intents", "scheduler_blocks"].map(table =>
    database.prepare<null, [string]>(`delete from ${table} where account_id = ?`),
  )
  const deleteCookies = database.prepare<null, [string]>("delete from sealed_values where name = 'cookies/' || ?")
  const moveNotes = database.prepare<null, [string, string]>(
    "update refresh_intents set account_id = ? where account_id = ?",
  )
  const writeSealed = prepareSealedWrite(database)
  const remove = (ids: readonly AccountId[]): void => {
    for (const id of ids) for (const deletion of [...deletions, deleteCookies]) deletion.run(id)
  }
  return {
    listAccounts: () => list.all(),
    putAccounts: (accounts, credentials, { isDurable, renamed }) => {
      const change = () => {
        if (renamed !== undefined) {
          moveNotes.run(renamed.into, renamed.from)
          remove([renamed.from])
          if (renamed.sealed !== undefined) writeSealed.run(renamed.sealed)
        }
        for (const account of accounts) write.run(account)
        for (const credential of credentials) writeCredential.run(credential)
      }
      if (isDurable) inDurableTransaction(database, change)
      else database.transaction(change).immediate()
    },
    deleteAccounts: ids => inDurableTransaction(database, () => remove(ids)),
  }
}
