/** Accounts as operators see them, gathered from everywhere something is known of them. */

import type { Account } from "#core/account.ts"
import type { ProxyBook } from "#gateway/egress/proxy-book.ts"
import type { Pool } from "#gateway/pool/pool.ts"
import type { Counters } from "#telemetry/counters.ts"

import { type AccountReport, reportAccount } from "./account-report.ts"
import type { OrdersParts } from "./orders.ts"
import { reportAssignment } from "./proxy-report.ts"
import type { QuotaDeskParts } from "./quota.ts"

/** Describes accounts as they are now. */
export type ReportAccounts = (accounts: readonly Account[]) => readonly AccountReport[]

/** Where something is known of accounts. */
export type ReportAccountsParts = Pick<OrdersParts, "accounts" | "scheduler" | "clock"> &
  Pick<QuotaDeskParts, "warnings"> & {
    readonly pool: Pick<Pool, "quotaOf">
    readonly counters: Counters
    readonly proxies: { readonly book: ProxyBook }
  }

/** Makes the function. */
export function makeReportAccounts(parts: ReportAccountsParts): ReportAccounts {
  const { scheduler, pool, counters, clock } = parts
  return accounts => {
    const views = new Map(scheduler.view().map(view => [view.id, view]))
    const counted = counters.snapshot().accounts
    const known = parts.accounts()
    const nowMs = clock()
    return accounts.map(account => {
      const { id } = account
      const settings = known.settingsOf(id)
      const assignment = reportAssignment(account, settings.egress, parts.proxies.book)
      const facts = { settings, assignment, view: views.get(id), refreshFailure: known.lastFailure(id) }
      return reportAccount(
        { account, ...facts, quota: pool.quotaOf(id), requests: counted.get(id), warnings: parts.warnings.of(id) },
        nowMs,
      )
    })
  }
}
