/** Refreshes an account for a request that was refused, as a promise that rejects when it was of no use. */

import type { AccountPool } from "#accounts/account-pool.ts"
import type { Account } from "#core/account.ts"
import { GatewayError } from "#core/errors.ts"

/** Resolves when the account has another access token. Rejects with `credential-rejected` and the reason as hint. */
export async function refreshOrThrow(
  account: Account,
  refusedToken: string | undefined,
  accounts: AccountPool,
): Promise<void> {
  // The token that was refused, not the one in use by now: a late refusal must not use up its successor.
  const outcome = await accounts.refresh(account.id, refusedToken === undefined ? {} : { rejectedToken: refusedToken })
  if (outcome.type === "fresh") return
  throw new GatewayError("credential-rejected", "The account's access token was refused and could not be refreshed.", {
    code: "account_unavailable",
    hint: `Refreshing ended with ${outcome.failure.code}; if this stays, sign the account in again with \`sluice login\`.`,
  })
}
