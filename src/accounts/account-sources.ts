/** Everywhere accounts come from: files that are watched and the database, with operators' settings over both. */

import { type Account, filePathOf } from "#core/account.ts"
import type { Clock, Timers } from "#core/clock.ts"
import { toGatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"

import {
  type AccountDirectory,
  type DirectoryEvent,
  type DirectoryTrouble,
  makeAccountDirectory,
} from "./account-directory.ts"
import {
  type AccountSettings,
  makeSettingsBook,
  type SettingsBook,
  type SettingsChange,
  type SettingsRows,
} from "./account-settings.ts"
import { type CombinedSources, combineSources } from "./combine-sources.ts"
import type { CredentialVault } from "./credential-vault.ts"
import { type RemovedFrom, removeAccount } from "./remove-account.ts"
import { takeRenewed } from "./renewed-account.ts"
import type { Sealer } from "./secrets/seal.ts"
import {
  makeStoredAccounts,
  type NewStoredAccount,
  type StoredAccountRows,
  type StoredAccounts,
} from "./stored-accounts.ts"

/** What the sources tell; additions, changes and removals are those of all sources together. */
export type SourceEvent =
  | DirectoryEvent
  /** The database's row of an account cannot be used, or could not be written; `reason` is safe to show. */
  | { readonly type: "stored-account-failed"; readonly accountId: AccountId; readonly reason: string }

/** What the sources need of the store. */
export type SourceRows = StoredAccountRows & SettingsRows

/** What the sources are made of. */
export type AccountSourcesParts = {
  readonly authDir: string
  readonly rows: SourceRows
  readonly vault: CredentialVault
  readonly sealer: Sealer
  readonly clock: Clock
  readonly timers: Timers
  /** An account with the credential it serves with now. */
  readonly live: (id: AccountId) => Account | undefined
  readonly emit: (event: SourceEvent) => void
}

/** What was done to remove an account. */
export type Removal = { readonly id: AccountId; readonly files: readonly RemovedFrom[]; readonly wasStored: boolean }

/** The sources at work. */
export type AccountSources = {
  /** Loads everything (an `account-added` for each account), then follows changes. */
  readonly start: () => Promise<void>
  readonly rescan: () => Promise<void>
  /** Reads an account's file again; undefined for one without a file. Never rejects. */
  readonly reload: (account: Account) => Promise<Account | undefined>
  /** Takes over what a refresh has brought. Never throws. */
  readonly renewed: (account: Account) => void
  /** Writes accounts into the database and lets them serve. Throws the store's error. */
  readonly put: (items: readonly NewStoredAccount[], options: { readonly isDurable: boolean }) => void
  /** Deletes accounts for good, from files and database. Rejects with what stands in the way. */
  readonly remove: (ids: readonly AccountId[]) => Promise<readonly Removal[]>
  /** Throws `invalid-request` for values that do not fit, and the store's error. */
  readonly changeSettings: (ids: readonly AccountId[], change: SettingsChange) => void
  readonly settingsOf: (id: AccountId) => AccountSettings
  /** Accounts in the recycle bin. */
  readonly archived: () => readonly Account[]
  /** What is wrong among the files. */
  readonly trouble: () => DirectoryTrouble
  readonly close: () => void
}

type Joined = {
  readonly parts: AccountSourcesParts
  readonly directory: AccountDirectory
  readonly stored: StoredAccounts
  readonly settings: SettingsBook
  readonly combined: CombinedSources
}

/** Files first: while a row is left, the account is still known and the removal can be tried again. */
async function removeAll(joined: Joined, ids: readonly AccountId[]): Promise<readonly Removal[]> {
  const { parts, directory, combined, stored, settings } = joined
  const archived = new Map(combined.archived().map(account => [account.id, account]))
  const removals: Removal[] = []
  for (const id of ids) {
    const account = parts.live(id) ?? archived.get(id)
    const files: RemovedFrom[] = []
    if (account !== undefined) {
      for (const path of directory.pathsOf(id)) files.push(await removeAccount(account, path))
    }
    removals.push({ id, files, wasStored: combined.stored(id) !== undefined })
  }
  stored.remove(ids)
  ids.forEach(settings.forget)
  combined.removeStored(ids)
  await directory.rescan()
  return removals
}

function putAll({ stored, settings, combined }: Joined, ...[items, options]: Parameters<AccountSources["put"]>): void {
  stored.put(items, options)
  const paused = items.filter(item => item.account.disabled).map(item => item.account.id)
  if (paused.length > 0) settings.change(paused, { paused: true })
  combined.putStored(items.map(({ account }) => ({ ...account, disabled: false })))
}

/** Makes the sources; nothing is read before `start`. */
export function makeAccountSources(parts: AccountSourcesParts): AccountSources {
  const { rows, vault, sealer, clock, emit } = parts
  const settings = makeSettingsBook({ rows, clock })
  const stored = makeStoredAccounts({ rows, vault, sealer, clock })
  const combined = combineSources({ settingsOf: settings.of, emit })
  const directory = makeAccountDirectory({
    path: parts.authDir,
    clock,
    timers: parts.timers,
    memory: vault,
    emit: event => {
      if (event.type === "account-added" || event.type === "account-changed") combined.putFile(event.account)
      else if (event.type === "account-removed") combined.removeFile(event.account.id)
      else emit(event)
    },
  })

  const joined: Joined = { parts, directory, stored, settings, combined }
  const renewal = { settings, stored, combined, reload: directory.reload, live: parts.live }

  return {
    start: async () => {
      const { accounts, faults } = stored.load()
      for (const fault of faults) emit({ type: "stored-account-failed", ...fault })
      await directory.start()
      combined.putStored(accounts)
    },
    rescan: directory.rescan,
    reload: async account => (filePathOf(account) === undefined ? undefined : directory.reload(account)),
    renewed: account => {
      if (combined.stored(account.id) === undefined) return
      // Afterwards: whoever has asked for the refresh still looks for the account under the id it had.
      parts.timers.after(0, () => {
        try {
          takeRenewed(renewal, parts.live(account.id) ?? account)
        } catch (error) {
          // The credential itself is safe: it was committed before it was published.
          emit({ type: "stored-account-failed", accountId: account.id, reason: toGatewayError(error).message })
        }
      })
    },
    put: (items, options) => putAll(joined, items, options),
    remove: ids => removeAll(joined, ids),
    changeSettings: (ids, change) => {
      settings.change(ids, change)
      combined.settingsChanged(ids)
    },
    settingsOf: settings.of,
    archived: combined.archived,
    trouble: directory.trouble,
    close: directory.close,
  }
}
