/** The accounts of all sources as one pool: a file counts before the database, and operators' settings before both. */

import type { Account } from "#core/account.ts"
import type { AccountId } from "#core/ids.ts"

import { onWayOut, type RosterChange } from "./account-roster.ts"
import { type AccountSettings, applySettings } from "./account-settings.ts"
import { isSameAccount } from "./directory-files.ts"

/** What it is made of. */
export type CombineParts = {
  readonly settingsOf: (id: AccountId) => AccountSettings
  readonly emit: (change: RosterChange) => void
}

/** The combined accounts; every change of a source tells what it changes about the whole. */
export type CombinedSources = {
  readonly putFile: (account: Account) => void
  readonly removeFile: (id: AccountId) => void
  readonly putStored: (accounts: readonly Account[]) => void
  readonly removeStored: (ids: readonly AccountId[]) => void
  readonly settingsChanged: (ids: readonly AccountId[]) => void
  /** The account as the database has it; the newest credential may be in the refresher's hands. */
  readonly stored: (id: AccountId) => Account | undefined
  /** The account as it was told last; undefined = it is not in the pool. */
  readonly shown: (id: AccountId) => Account | undefined
  /** Accounts in the recycle bin: known, and out of the pool. */
  readonly archived: () => readonly Account[]
}

function canRenew({ credential }: Account): boolean {
  return credential.type === "api-key" || credential.refreshToken !== undefined
}

/** A file counts before the database, unless only the database's credential can be renewed here. */
function pickSource(file: Account | undefined, stored: Account | undefined): Account | undefined {
  if (file === undefined || stored === undefined) return file ?? stored
  return canRenew(stored) && !canRenew(file) ? stored : file
}

/** Makes them, empty. */
export function combineSources({ settingsOf, emit }: CombineParts): CombinedSources {
  const files = new Map<AccountId, Account>()
  const stored = new Map<AccountId, Account>()
  const archived = new Map<AccountId, Account>()
  const shown = new Map<AccountId, Account>()
  // Kept for as long as the program runs: an account does not go out another way because its file is away.
  const waysOut = new Map<AccountId, string>()

  function show(id: AccountId, account: Account | undefined): void {
    const before = shown.get(id)
    if (account === undefined) {
      if (before === undefined) return
      shown.delete(id)
      emit({ type: "account-removed", account: before })
      return
    }
    if (before !== undefined && isSameAccount(before, account)) return
    shown.set(id, account)
    emit({ type: before === undefined ? "account-added" : "account-changed", account })
  }

  function update(id: AccountId): void {
    const found = pickSource(files.get(id), stored.get(id))
    const settings = settingsOf(id)
    // What an operator orders counts over what a source names, and both over what a copy of the account does not say.
    const account = found === undefined ? undefined : applySettings(onWayOut(found, waysOut.get(id)), settings)
    const isArchived = settings.archivedAtMs !== undefined
    if (account !== undefined && isArchived) archived.set(id, account)
    else archived.delete(id)
    show(id, isArchived ? undefined : account)
  }

  return {
    putFile: account => {
      files.set(account.id, account)
      if (account.egress !== undefined) waysOut.set(account.id, account.egress)
      update(account.id)
    },
    removeFile: id => {
      files.delete(id)
      update(id)
    },
    putStored: accounts => {
      for (const account of accounts) stored.set(account.id, account)
      for (const { id } of accounts) update(id)
    },
    removeStored: ids => {
      for (const id of ids) stored.delete(id)
      ids.forEach(update)
    },
    settingsChanged: ids => ids.forEach(update),
    stored: id => stored.get(id),
    shown: id => shown.get(id),
    archived: () => [...archived.values()],
  }
}
