/** Asks accounts for their quota: a small GET that costs none of it. */

import { type Account, maskLabel } from "#core/account.ts"
import { toGatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import type { QuotaSnapshot } from "#core/upstream.ts"

import { type AskParts, askUpstream } from "./ask-upstream.ts"
import type { Pool } from "./pool.ts"

/** What asking needs. */
export type QuotaCheckParts = AskParts & {
  readonly pool: Pick<Pool, "target" | "refreshNow" | "observeQuota">
  readonly usageUrl: string
}

/** What one account answered. Windows are told apart by their length in seconds. */
export type QuotaReport = {
  readonly account: AccountId
  /** Masked. */
  readonly label: string
  readonly status: "ok" | "failed" | "not-available"
  readonly quota?: QuotaSnapshot
  readonly error?: string
  /** Set when the endpoint itself refused: it was reached, and says nothing about who can serve. */
  readonly upstream_status?: number
}

/** Asks one account, refreshing its credential once when it is refused. Never rejects: the report says what failed. */
export async function checkQuota(account: Account, parts: QuotaCheckParts): Promise<QuotaReport> {
  const report = { account: account.id, label: maskLabel(account.label) }
  try {
    const answer = await askUpstream(account, (asked, target) => asked.usageRequest(target, parts.usageUrl), parts)
    const provider = parts.providers[account.provider]
    const quota = answer === undefined ? undefined : provider.readUsageBody(answer.json, parts.clock())
    if (answer === undefined || quota === undefined) return { ...report, status: "not-available" }
    parts.pool.observeQuota(account.id, quota, answer.askedAtMs)
    const { isWhole: _, ...shown } = quota
    return { ...report, status: "ok", quota: shown }
  } catch (cause) {
    const { message, upstream } = toGatewayError(cause)
    const answered = upstream?.status === undefined ? {} : { upstream_status: upstream.status }
    return { ...report, status: "failed", error: message, ...answered }
  }
}
