/** What `POST /refresh` says about one account. */

import type { AccountPool } from "#accounts/account-pool.ts"
import { type Account, maskLabel } from "#core/account.ts"
import type { RefreshReport } from "#gateway/pool/operators.ts"

/** Refreshes one account now, ahead of the background. Never rejects: the report says what failed. */
export async function refreshReport(account: Account, accounts: AccountPool): Promise<RefreshReport> {
  const report = { account: account.id, label: maskLabel(account.label) }
  if (account.credential.type === "api-key") return { ...report, status: "not-refreshable" }
  const outcome = await accounts.refresh(account.id, { lane: "operator" })
  if (outcome.type === "failed") return { ...report, status: "failed", error: outcome.failure.code }
  return { ...report, status: outcome.how === "current" ? "current" : "refreshed" }
}
