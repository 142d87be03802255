/** Asks accounts for their quota: a small GET that costs none of it. */

import { type Account, maskLabel } from "#core/account.ts"
import { toGatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import type { QuotaSnapshot } from "#core/upstream.ts"
import { transportFaultOf } from "#transport/transport-error.ts"

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
  /** It was the account's proxy that failed, or is not there: that says nothing about the account. */
  readonly proxy_failed?: true
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
    const error = toGatewayError(cause)
    const answered = error.upstream?.status === undefined ? {} : { upstream_status: error.upstream.status }
    const isProxy = transportFaultOf(error)?.egressAtFault === true
    return { ...report, status: "failed", error: error.message, ...answered, ...(isProxy && { proxy_failed: true }) }
  }
}
