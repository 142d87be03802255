/** Which accounts an order is meant for. */

import type { AccountPool } from "#accounts/account-pool.ts"
import { nearest } from "#config/edit-distance.ts"
import { type Account, filePathOf, maskLabel } from "#core/account.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"

/** Names of accounts (ids, e-mails, labels, file names), or everything outside the recycle bin. */
export type Targets = readonly string[] | "all"

type AccountsKnown = Pick<AccountPool, "accounts" | "archived">

function namesOf(account: Account): readonly string[] {
  const { id, email, label } = account
  const file = filePathOf(account)?.split("/").at(-1)
  return [id, email, label, file].filter(name => name !== undefined)
}

function answersTo(account: Account, wanted: string): boolean {
  return namesOf(account).some(name => name.toLowerCase() === wanted)
}

/** More names are not compared: that would take longer than one answer may hold the others up. */
const MAX_COMPARED = 2_000
const MAX_NAME = 80

/** The account that a mistyped name may have meant. */
function nearestAccount(known: readonly Account[], name: string): Account | undefined {
  if (name.length > MAX_NAME) return undefined
  const byName = new Map(
    known
      .slice(0, MAX_COMPARED)
      .flatMap(account => namesOf(account).map(one => [one.slice(0, MAX_NAME), account] as const)),
  )
  const near = nearest(name, byName.keys())
  return near === undefined ? undefined : byName.get(near)
}

function unknownName(known: readonly Account[], name: string): GatewayError {
  const near = nearestAccount(known, name)
  const meant = near === undefined ? "" : `Did you mean ${near.id}, ${maskLabel(near.label)}? `
  return new GatewayError("not-found", `There is no account "${maskLabel(name)}".`, {
    code: "account_not_found",
    hint: `${meant}\`sluice accounts list\` shows ids and names; \`--archived\` those in the recycle bin.`,
  })
}

function findByName(known: readonly Account[], name: string): Account {
  const found = known.filter(account => answersTo(account, name.toLowerCase()))
  const [only] = found
  if (only === undefined) throw unknownName(known, name)
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
  // Orders for thousands name them by id.
  const byId = new Map<string, Account>(known.map(account => [account.id, account]))
  for (const name of targets) {
    const account = byId.get(name) ?? findByName(known, name)
    found.set(account.id, account)
  }
  return [...found.values()]
}
