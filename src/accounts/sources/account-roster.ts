/** Which accounts a set of files adds up to, and what changed since last time. */

import { pickNewerAccount } from "#accounts/identity.ts"
import type { Account } from "#core/account.ts"
import type { AccountId } from "#core/ids.ts"

import { isSameAccount, type LoadedFile } from "./directory-files.ts"

/** An account that a second file holds as well; the newer credential serves. */
export type Duplicate = { readonly accountId: AccountId; readonly path: string; readonly servedFrom: string }

/** Accounts by id, each once. */
export type Roster = {
  readonly accounts: ReadonlyMap<AccountId, Account>
  readonly duplicates: readonly Duplicate[]
}

/** A difference between two rosters. */
export type RosterChange =
  | { readonly type: "account-added"; readonly account: Account }
  | { readonly type: "account-changed"; readonly account: Account }
  | { readonly type: "account-removed"; readonly account: Account }

/** Borrowed ones come last: a login of our own can be renewed here and must not rest on one that cannot. */
function inOrder(files: Iterable<LoadedFile>): readonly LoadedFile[] {
  const { own = [], borrowed = [] } = Object.groupBy(files, file => (file.isBorrowed === true ? "borrowed" : "own"))
  return [...own, ...borrowed]
}

/** Adds the files up in their order. */
export function composeRoster(files: Iterable<LoadedFile>): Roster {
  const served = new Map<AccountId, { readonly account: Account; readonly path: string }>()
  const duplicates: Duplicate[] = []
  for (const file of inOrder(files)) {
    const { path } = file
    for (const { account } of file.resolved) {
      const present = served.get(account.id)
      const found = { account, path }
      const winner = present === undefined || isServed(present.account, account, file) ? found : present
      const egress = present?.account.egress ?? account.egress
      served.set(account.id, { ...winner, account: onWayOut(winner.account, egress) })
      if (present === undefined) continue
      const loser = winner === found ? present : found
      duplicates.push({ accountId: account.id, path: loser.path, servedFrom: winner.path })
    }
  }
  return { accounts: new Map([...served].map(([id, { account }]) => [id, account])), duplicates }
}

/** True when `account`, found in `file`, counts before the one found earlier. */
function isServed(present: Account, account: Account, { isBorrowed }: LoadedFile): boolean {
  return isBorrowed !== true && pickNewerAccount(present, account) === account
}

/** A way out belongs to the account, not to the file that names it: no copy of the account may go another way. */
export function onWayOut(account: Account, egress: string | undefined): Account {
  return egress === undefined || account.egress === egress ? account : { ...account, egress }
}

/** Lists what leads from `before` to `after`: removals first, so that nothing is counted twice. */
export function compareRosters(
  before: ReadonlyMap<AccountId, Account>,
  after: ReadonlyMap<AccountId, Account>,
): readonly RosterChange[] {
  const changes: RosterChange[] = []
  for (const [id, account] of before) if (!after.has(id)) changes.push({ type: "account-removed", account })
  for (const [id, account] of after) {
    const present = before.get(id)
    if (present === undefined) changes.push({ type: "account-added", account })
    else if (!isSameAccount(present, account)) changes.push({ type: "account-changed", account })
  }
  return changes
}
