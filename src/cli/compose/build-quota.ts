/** What watches the accounts' quota. */

import { systemClock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
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
  /** Accounts of which something was said since the last time, at most `max`. */
  readonly takeChanged: (max: number) => readonly AccountId[]
}

/** Builds them. */
export function buildQuota({ config, log }: BuildQuotaParts): BuiltQuota {
  const warnings = makeQuotaWarnings({
    clock: systemClock,
    thresholds: () => config().quota.warningThresholds,
    warn: log.warn,
  })
  const history = makeQuotaHistory({ clock: systemClock })
  const changed = new Set<AccountId>()
  return {
    warnings,
    history,
    takeChanged: max => {
      const taken = [...changed].slice(0, max)
      for (const id of taken) changed.delete(id)
      return taken
    },
    watch: {
      heard: (account, quota) => {
        warnings.heard(account, quota)
        history.heard(account.id, quota)
        changed.add(account.id)
      },
      forget: id => {
        warnings.forget(id)
        history.forget(id)
        changed.delete(id)
      },
    },
  }
}
