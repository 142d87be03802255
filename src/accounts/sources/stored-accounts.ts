/** Accounts that live in the database: loaded at start, written by imports and sign-ins, never in clear on the disk. */

import type { JarMove } from "#accounts/cookies/cookie-book.ts"
import { readSecret, type StoredSecret } from "#accounts/credentials/credential-secret.ts"
import type { Adoption, CredentialVault, VaultRow } from "#accounts/credentials/credential-vault.ts"
import { withCredential } from "#accounts/credentials/resolve-account.ts"
import { compact } from "#accounts/formats/compact.ts"
import type { Sealer } from "#accounts/secrets/seal.ts"
import { openSecret } from "#accounts/secrets/sealed-rows.ts"
import type { Account } from "#core/account.ts"
import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountId, ProviderId } from "#core/ids.ts"

/** Who an account is, as the store keeps it. `fedramp` is 0 or 1. */
export type StoredFacts = {
  readonly accountId: AccountId
  readonly provider: ProviderId
  readonly label: string
  readonly email: string | null
  readonly plan: string | null
  readonly workspaceId: string | null
  readonly userId: string | null
  readonly fedramp: number
  readonly origin: string
  readonly createdAtMs: number
}

/** Not durable = on the disk with the next durable write. `renamed`: the account goes on under another id, all in one step. */
export type PutOptions = {
  readonly isDurable: boolean
  readonly renamed?: { readonly from: AccountId; readonly into: AccountId; readonly sealed?: JarMove["row"] }
}

/** What is needed of the store; its own functions fit. */
export type StoredAccountRows = {
  readonly listAccounts: () => readonly (StoredFacts & Pick<VaultRow, "secretJson" | "generation">)[]
  readonly putAccounts: (
    accounts: readonly StoredFacts[],
    credentials: readonly VaultRow[],
    options: PutOptions,
  ) => void
  readonly deleteAccounts: (ids: readonly AccountId[]) => void
}

/** An account to write; `origin` says where it came from, for people. */
export type NewStoredAccount = Adoption & { readonly origin: string }

/** A row that cannot be used; what it belongs to is left as it is. */
export type StoredFault = { readonly accountId: AccountId; readonly reason: string }

/** Accounts in the database. All functions throw the store's error. */
export type StoredAccounts = {
  readonly load: () => { readonly accounts: readonly Account[]; readonly faults: readonly StoredFault[] }
  /** All or none. Returns the accounts as they were written: above what the store remembers of them. */
  readonly put: (items: readonly NewStoredAccount[], options: PutOptions) => readonly Account[]
  /** Takes over what a refresh has shown of an account: its e-mail, its plan, its workspace. */
  readonly learn: (account: Account) => void
  readonly remove: (ids: readonly AccountId[]) => void
}

/** What it is made of. */
export type StoredAccountsParts = {
  readonly rows: StoredAccountRows
  readonly vault: Pick<CredentialVault, "adoptionRowOf" | "noteWritten" | "noteSpent" | "aboveStored">
  readonly sealer: Sealer
  readonly clock: Clock
}

/** A refresh may have told whose the account is without this being written down: then its tokens still say it. */
function accountOf(row: ReturnType<StoredAccountRows["listAccounts"]>[number], { credential }: StoredSecret): Account {
  const { accountId, provider, label, email, plan, workspaceId, userId, fedramp } = row
  const account: Account = {
    id: accountId,
    provider,
    label,
    ...compact({
      email: email ?? undefined,
      plan: plan ?? undefined,
      workspaceId: workspaceId ?? undefined,
      userId: userId ?? undefined,
      fedramp: fedramp === 1 ? true : undefined,
    }),
    disabled: false,
    credential,
    source: { type: "store" },
  }
  return withCredential(account, credential)
}

function factsOf(account: Account, origin: string, createdAtMs: number): StoredFacts {
  const { id, provider, label, email, plan, workspaceId, userId, fedramp } = account
  return {
    accountId: id,
    provider,
    label,
    email: email ?? null,
    plan: plan ?? null,
    workspaceId: workspaceId ?? null,
    userId: userId ?? null,
    fedramp: fedramp === true ? 1 : 0,
    origin,
    createdAtMs,
  }
}

/** Makes them over the store's rows. */
export function makeStoredAccounts({ rows, vault, sealer, clock }: StoredAccountsParts): StoredAccounts {
  return {
    load: () => {
      const accounts: Account[] = []
      const faults: StoredFault[] = []
      for (const row of rows.listAccounts()) {
        try {
          const secret = readSecret(openSecret({ ...row, previousSecretJson: null }, sealer), row)
          accounts.push(accountOf(row, secret))
          vault.noteSpent(row.accountId, secret.spent)
        } catch (error) {
          if (!(error instanceof GatewayError)) throw error
          // One damaged row must not keep the others from serving.
          faults.push({ accountId: row.accountId, reason: error.message })
        }
      }
      return { accounts, faults }
    },
    put: (found, options) => {
      const items = found.map(item => ({ ...item, account: vault.aboveStored(item.account) }))
      const credentials = items.map(vault.adoptionRowOf)
      rows.putAccounts(
        items.map(({ account, origin }) => factsOf(account, origin, clock())),
        credentials,
        options,
      )
      vault.noteWritten(credentials)
      return items.map(item => item.account)
    },
    // The row keeps its first origin and age.
    learn: account => rows.putAccounts([factsOf(account, "", clock())], [], { isDurable: false }),
    remove: rows.deleteAccounts,
  }
}
