/** What operators order for one account, however they ask for it. */

import { systemClock, systemTimers } from "#core/clock.ts"
import type { ResetCreditDeskParts } from "#gateway/desk/reset-credits.ts"
import type { OperatorsParts } from "#gateway/pool/operators.ts"
import { checkQuota } from "#gateway/pool/quota-check.ts"
import { listResetCredits, redeemResetCredit } from "#gateway/pool/reset-credits.ts"

import type { BuiltPool } from "./build-pool.ts"
import type { GatewayContext } from "./gateway-context.ts"
import { refreshReport } from "./refresh-report.ts"

/** The orders and their pace. */
export type BuiltOrders = Pick<OperatorsParts, "refresh" | "checkQuota" | "concurrency"> &
  Pick<ResetCreditDeskParts, "listResetCredits" | "redeemResetCredit">

/** Builds the orders. */
export function buildOrders(parts: GatewayContext & { readonly built: BuiltPool }): BuiltOrders {
  const { config, built, send } = parts
  const { pool, providers } = built
  const asking = () => {
    return { clock: systemClock, timers: systemTimers, pool, providers, send, usageUrl: config().usageUrl }
  }
  return {
    refresh: account => refreshReport(account, parts.accounts()),
    checkQuota: account => checkQuota(account, asking()),
    listResetCredits: account => listResetCredits(account, asking()),
    redeemResetCredit: (account, creditId) => redeemResetCredit(account, creditId, asking()),
    concurrency: () => config().healthCheckConcurrency,
  }
}
