/** Changes that concern every place an account may be in: written into the database, deleted everywhere. */

import { type RemovedFrom, removeAccount } from "#accounts/intake/remove-account.ts"
import type { Account } from "#core/account.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"

import type { AccountDirectory } from "./account-directory.ts"
import type { SettingsBook } from "./account-settings.ts"
import type { CombinedSources } from "./combine-sources.ts"
import { learn } from "./renewed-account.ts"
import type { StoredAccounts } from "./stored-accounts.ts"

/** What was done to remove an account. */
export type Removal = { readonly id: AccountId; readonly files: readonly RemovedFrom[]; readonly wasStored: boolean }

/** The places an account may be in, joined. */
export type JoinedSources = {
  /** An account with the credential it serves with now. */
  readonly live: (id: AccountId) => Account | undefined
  readonly directory: AccountDirectory
  readonly stored: StoredAccounts
  readonly settings: SettingsBook
  readonly combined: CombinedSources
}

/** Other programs' files are not ours to delete, and the account would be back at once. */
function refuseElsewhere(directory: AccountDirectory, ids: readonly AccountId[]): void {
  for (const id of ids) {
    const [place] = directory.placesOf(id).elsewhere
    if (place === undefined) continue
    throw new GatewayError("invalid-request", `${id} comes from ${place}, which is not ours to delete from.`, {
      code: "account_elsewhere",
      hint: "Archive it, or take the setting out that names the place.",
    })
  }
}

/** Deletes accounts for good; throws `invalid-request` for one from elsewhere. Files first: while a row is left, the account is still known and the removal can be tried again. */
export async function removeEverywhere(joined: JoinedSources, ids: readonly AccountId[]): Promise<readonly Removal[]> {
  const { live, directory, combined, stored, settings } = joined
  refuseElsewhere(directory, ids)
  const archived = new Map(combined.archived().map(account => [account.id, account]))
  const removals: Removal[] = []
  for (const id of ids) {
    const account = live(id) ?? archived.get(id)
    const files: RemovedFrom[] = []
    if (account !== undefined) {
      for (const path of directory.placesOf(id).files) files.push(await removeAccount(account, path))
    }
    removals.push({ id, files, wasStored: combined.stored(id) !== undefined })
  }
  stored.remove(ids)
  ids.forEach(settings.forget)
  combined.removeStored(ids)
  await directory.rescan()
  return removals
}

/** Writes accounts into the database and lets them serve; those that come in disabled are paused. Throws the store's error. */
export function storeAccounts(
  { stored, settings, combined }: JoinedSources,
  ...[items, options]: Parameters<StoredAccounts["put"]>
): void {
  // Whoever brings an account up to date has it as it serves, with operators' settings over it.
  const own = items.map(item => {
    const before = combined.stored(item.account.id)
    return before === undefined ? item : { ...item, account: learn(before, item.account) }
  })
  const written = stored.put(own, options)
  const paused = items.filter(item => item.account.disabled).map(item => item.account.id)
  if (paused.length > 0) settings.change(paused, { paused: true })
  combined.putStored(written.map(account => ({ ...account, disabled: false })))
}
