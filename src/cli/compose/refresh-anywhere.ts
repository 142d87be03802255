/** Refreshes an account for a request that was refused, as a promise that rejects when it was of no use. */

import type { AccountPool } from "#accounts/account-pool.ts"
import { renewThrough } from "#cli/takeover/renew-through.ts"
import type { Account } from "#core/account.ts"
import { GatewayError } from "#core/errors.ts"

import type { GatewayContext } from "./gateway-context.ts"

/** Where an account may be refreshed. */
export type RefreshPlaces = Pick<GatewayContext, "accounts" | "tenure"> & {
  /** Another process has refreshed it. */
  readonly renewed: (account: Account) => void
}

/** As {@link refreshOrThrow}, in the process that has the accounts by now. */
export function refreshAnywhere(
  account: Account,
  refusedToken: string | undefined,
  { accounts, tenure, renewed }: RefreshPlaces,
): Promise<void> {
  return renewThrough(tenure, {
    own: () => refreshOrThrow(account, refusedToken, accounts()),
    theirs: async () => renewed(await tenure.renew(account.id, refusedToken)),
  })
}

/** Resolves when the account has another access token. Rejects with `credential-rejected` and the reason as hint. */
async function refreshOrThrow(
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
