/** Which accounts an order is meant for. */

import type { AccountPool } from "#accounts/account-pool.ts"
import { type Account, filePathOf } from "#core/account.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"

/** Names of accounts (ids, e-mails, labels, file names), or everything outside the recycle bin. */
export type Targets = readonly string[] | "all"

type AccountsKnown = Pick<AccountPool, "accounts" | "archived">

function answersTo(account: Account, wanted: string): boolean {
  const { id, email, label } = account
  const file = filePathOf(account)?.split("/").at(-1)
  return [id, email, label, file].some(name => name?.toLowerCase() === wanted)
}

function findOne(known: readonly Account[], name: string): Account {
  const byId = known.find(account => account.id === name)
  if (byId !== undefined) return byId
  const found = known.filter(account => answersTo(account, name.toLowerCase()))
  const [only] = found
  if (only === undefined) {
    throw new GatewayError("not-found", "There is no account of that name.", {
      code: "account_not_found",
      hint: "`sluice accounts list` shows ids and names; `--archived` those in the recycle bin.",
    })
  }
  if (found.length === 1) return only
  throw new GatewayError("invalid-request", `Several accounts fit: ${found.map(one => one.id).join(", ")}.`, {
    code: "account_ambiguous",
    hint: "Name the account by its id.",
  })
}

/** Finds the accounts. Throws `not-found` for a name that fits none, `invalid-request` for one that fits several. */
export function findTargets(targets: Targets, pool: AccountsKnown): readonly Account[] {
  if (targets === "all") return pool.accounts()
  const known = [...pool.accounts(), ...pool.archived()]
  const found = new Map<AccountId, Account>()
  for (const name of targets) {
    const account = findOne(known, name)
    found.set(account.id, account)
  }
  return [...found.values()]
}
