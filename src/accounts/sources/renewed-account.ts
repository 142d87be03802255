/** What a refresh tells about an account in the database, and where that is written down. */

import type { CookieBook } from "#accounts/cookies/cookie-book.ts"
import { lastingIdOf } from "#accounts/identity.ts"
import { type Account, filePathOf } from "#core/account.ts"
import type { AccountId } from "#core/ids.ts"

import type { AccountDirectory } from "./account-directory.ts"
import type { SettingsBook } from "./account-settings.ts"
import type { CombinedSources } from "./combine-sources.ts"
import type { StoredAccounts } from "./stored-accounts.ts"

/** What taking over needs. */
export type RenewedParts = {
  readonly settings: SettingsBook
  readonly stored: StoredAccounts
  readonly combined: CombinedSources
  readonly reload: AccountDirectory["reload"]
  /** Jars that go along. */
  readonly cookies: Pick<CookieBook, "move"> | undefined
  /** An account with the credential it serves with now. */
  readonly live: (id: AccountId) => Account | undefined
}

/** The database's account with what a refresh or an import has shown of it; its own name and operators' settings stay apart. */
export function learn(before: Account, renewed: Account): Account {
  const isUnnamed = before.email === undefined && renewed.email !== undefined
  const { note, tags, egress, ...facts } = renewed
  const label = isUnnamed ? (renewed.email ?? before.label) : before.label
  return { ...facts, label, disabled: before.disabled, source: before.source }
}

/** The first refresh of a bare token has told whose it is: from now on it goes by the id of user and workspace. */
function promote(parts: RenewedParts, account: Account, id: AccountId): void {
  const { settings, stored, combined } = parts
  const present = parts.live(id)
  const generation = Math.max(account.credential.generation, (present?.credential.generation ?? -1) + 1)
  const promoted: Account = { ...account, id, credential: { ...account.credential, generation } }
  const line = { continues: account.id, ...(present && { replaced: present.credential }) }
  const hasSettings = (of: AccountId): boolean => Object.keys(settings.of(of)).length > 0
  // Each change waits for the disk: none where there is nothing to take along.
  if (hasSettings(account.id) && !hasSettings(id)) settings.change([id], settings.of(account.id))
  const item = { account: promoted, origin: "refresh-tokens", ...line }
  const move = parts.cookies?.move(account.id, id)
  const renamed = { from: account.id, into: id, ...(move && { sealed: move.row }) }
  const written = stored.put([item], { isDurable: true, renamed })
  move?.done()
  settings.forget(account.id)
  combined.removeStored([account.id])
  combined.putStored(written)
  // A file still counts before the database; it gets to know the newer credential by being read again, which never rejects.
  if (present !== undefined && filePathOf(present) !== undefined) void parts.reload(present)
}

/** True when the account goes by the id of a bare token although it is known whose it is. */
export function hasAnotherLastingId(account: Account): boolean {
  const lastingId = lastingIdOf(account)
  return lastingId !== undefined && lastingId !== account.id
}

/** Takes over what a refresh has brought for an account of the database; others are left alone. Throws the store's error. */
export function takeRenewed(parts: RenewedParts, renewed: Account): void {
  const before = parts.combined.stored(renewed.id)
  if (before === undefined) return
  const learned = learn(before, renewed)
  const lastingId = lastingIdOf(learned)
  if (lastingId !== undefined && lastingId !== renewed.id) {
    promote(parts, learned, lastingId)
    return
  }
  parts.stored.learn(learned)
  parts.combined.putStored([learned])
}
