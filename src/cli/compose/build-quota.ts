/** What watches the accounts' quota. */

import { systemClock } from "#core/clock.ts"
import type { PoolParts } from "#gateway/pool/pool.ts"
import { makeQuotaHistory, type QuotaHistory } from "#gateway/quota/quota-history.ts"
import { makeQuotaWarnings, type QuotaWarnings } from "#gateway/quota/quota-warnings.ts"
import type { Log } from "#telemetry/log.ts"

import type { GatewayContext } from "./gateway-context.ts"

/** What watching needs. */
export type BuildQuotaParts = Pick<GatewayContext, "config"> & { readonly log: Pick<Log, "warn"> }

/** The watchers, and the one ear they share. */
export type BuiltQuota = {
  readonly warnings: QuotaWarnings
  readonly history: QuotaHistory
  readonly watch: PoolParts["watch"]
}

/** Builds them. */
export function buildQuota({ config, log }: BuildQuotaParts): BuiltQuota {
  const warnings = makeQuotaWarnings({
    clock: systemClock,
    thresholds: () => config().quota.warningThresholds,
    warn: log.warn,
  })
  const history = makeQuotaHistory({ clock: systemClock })
  return {
    warnings,
    history,
    watch: {
      heard: (account, quota) => {
        warnings.heard(account, quota)
        history.heard(account.id, quota)
      },
      forget: id => {
        warnings.forget(id)
        history.forget(id)
      },
    },
  }
}
