/** Refreshes an account for a request that was refused, as a promise that rejects when it was of no use. */

import type { AccountPool } from "#accounts/account-pool.ts"
import type { Account } from "#core/account.ts"
import { GatewayError } from "#core/errors.ts"

/** Resolves when the account has another access token. Rejects with `credential-rejected` and the reason as hint. */
export async function refreshOrThrow(account: Account, accounts: AccountPool): Promise<void> {
  const { credential } = account
  const rejected = credential.type === "chatgpt" ? { rejectedToken: credential.accessToken } : {}
  const outcome = await accounts.refresh(account.id, rejected)
  if (outcome.type === "fresh") return
  throw new GatewayError("credential-rejected", "The account's access token was refused and could not be refreshed.", {
    code: "account_unavailable",
    hint: `Refreshing ended with ${outcome.failure.code}; sign the account in again if this stays.`,
  })
}
