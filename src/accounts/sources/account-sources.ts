/** Everywhere accounts come from: files that are watched and the database, with operators' settings over both. */

import type { CredentialVault } from "#accounts/credentials/credential-vault.ts"
import type { NamedSource } from "#accounts/elsewhere/named-source.ts"
import { type Account, filePathOf } from "#core/account.ts"
import type { Clock, Timers } from "#core/clock.ts"
import { toGatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"

import { type DirectoryEvent, type DirectoryTrouble, makeAccountDirectory } from "./account-directory.ts"
import { type AccountSettings, makeSettingsBook, type SettingsChanges, type SettingsRows } from "./account-settings.ts"
import { combineSources } from "./combine-sources.ts"
import { type Removal, removeEverywhere, storeAccounts } from "./joined-sources.ts"
import { hasAnotherLastingId, type RenewedParts, takeRenewed } from "./renewed-account.ts"
import {
  makeStoredAccounts,
  type NewStoredAccount,
  type StoredAccountRows,
  type StoredAccountsParts,
} from "./stored-accounts.ts"

/** What the sources tell; additions, changes and removals are those of all sources together. */
export type SourceEvent =
  | DirectoryEvent
  /** The database's row of an account cannot be used, or could not be written; `reason` is safe to show. */
  | { readonly type: "stored-account-failed"; readonly accountId: AccountId; readonly reason: string }

/** What the sources need of the store. */
export type SourceRows = StoredAccountRows & SettingsRows

/** What the sources are made of. */
export type AccountSourcesParts = Pick<StoredAccountsParts, "sealer"> & {
  readonly authDir: string
  /** Accounts from elsewhere than that folder. */
  readonly named: readonly NamedSource[]
  readonly rows: SourceRows
  readonly vault: CredentialVault
  readonly clock: Clock
  readonly timers: Timers
  /** An account with the credential it serves with now. */
  readonly live: (id: AccountId) => Account | undefined
  readonly cookies?: RenewedParts["cookies"]
  readonly emit: (event: SourceEvent) => void
}

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
  readonly changeSettings: (ids: readonly AccountId[], changes: SettingsChanges) => void
  readonly settingsOf: (id: AccountId) => AccountSettings
  /** Accounts in the recycle bin. */
  readonly archived: () => readonly Account[]
  /** What is wrong among the files. */
  readonly trouble: () => DirectoryTrouble
  readonly close: () => void
}

/** Makes the sources; nothing is read before `start`. */
export function makeAccountSources(parts: AccountSourcesParts): AccountSources {
  const { rows, vault, sealer, clock, emit } = parts
  const settings = makeSettingsBook({ rows, clock })
  const stored = makeStoredAccounts({ rows, vault, sealer, clock })
  const combined = combineSources({ settingsOf: settings.of, emit })
  const directory = makeAccountDirectory({
    path: parts.authDir,
    sources: parts.named,
    clock,
    timers: parts.timers,
    memory: vault,
    emit: event => {
      if (event.type === "account-added" || event.type === "account-changed") combined.putFile(event.account)
      else if (event.type === "account-removed") combined.removeFile(event.account.id)
      else emit(event)
    },
  })

  const joined = { live: parts.live, directory, stored, settings, combined }
  const renewal = { settings, stored, combined, reload: directory.reload, live: parts.live, cookies: parts.cookies }
  const renewed = (account: Account): void => {
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
  }

  return {
    start: async () => {
      const { accounts, faults } = stored.load()
      for (const fault of faults) emit({ type: "stored-account-failed", ...fault })
      await directory.start()
      combined.putStored(accounts)
      // A kill may have come between a refresh that told whose an account is and the step to its lasting id.
      accounts.filter(hasAnotherLastingId).forEach(renewed)
    },
    rescan: directory.rescan,
    reload: async account => {
      if (filePathOf(account) === undefined) return undefined
      await directory.reload(account)
      // What the file says of the account is one part of it.
      return combined.shown(account.id)
    },
    renewed,
    put: (items, options) => storeAccounts(joined, items, options),
    remove: ids => removeEverywhere(joined, ids),
    changeSettings: (ids, changes) => {
      settings.change(ids, changes)
      combined.settingsChanged(ids)
    },
    settingsOf: settings.of,
    archived: combined.archived,
    trouble: directory.trouble,
    close: directory.close,
  }
}
