/** The pool of accounts: scheduler, providers, model catalogue and what keeps it current. */

import { systemClock } from "#core/clock.ts"
import { type Catalogue, makeCatalogue } from "#gateway/models/catalogue.ts"
import type { ModelOverride } from "#gateway/models/model-override.ts"
import { makePool, type Pool } from "#gateway/pool/pool.ts"
import { makeProviders } from "#providers/registry.ts"

import { type BuildQuotaParts, type BuiltQuota, buildQuota } from "./build-quota.ts"
import { buildScheduler } from "./build-scheduler.ts"
import { buildSeats } from "./build-seats.ts"
import { buildSync } from "./build-sync.ts"
import type { GatewayContext } from "./gateway-context.ts"
import { refreshOrThrow } from "./refresh-or-throw.ts"
import { type BlockKeeper, makeBlockKeeper } from "./saved-blocks.ts"

/** What the pool is built from. */
export type BuildPoolParts = GatewayContext &
  BuildQuotaParts & {
    readonly overrides: readonly ModelOverride[]
  }

/** The pool and what feeds it. */
export type BuiltPool = {
  readonly scheduler: ReturnType<typeof buildScheduler>
  readonly catalogue: Catalogue
  readonly pool: Pool
  readonly quota: BuiltQuota
  readonly providers: ReturnType<typeof makeProviders>
  readonly sync: ReturnType<typeof buildSync>
  readonly keeper: BlockKeeper
}

/** Builds an empty pool. */
export function buildPool(parts: BuildPoolParts): BuiltPool {
  const config = parts.config()
  const providers = makeProviders({ identity: config.upstreamIdentity })
  const scheduler = buildScheduler({
    config: parts.config,
    reportFailure: parts.reportFailure,
    suspended: buildSeats(parts, () => ({ pool, providers, scheduler })),
  })
  const catalogue = makeCatalogue({ clock: systemClock, overrides: parts.overrides })
  const quota = buildQuota(parts)
  const pool = makePool({
    clock: systemClock,
    random: Math.random,
    scheduler,
    providers,
    baseUrl: config.baseUrl,
    refresh: (account, refusedToken) => refreshOrThrow(account, refusedToken, parts.accounts()),
    watch: quota.watch,
    skipsExhausted: () => parts.config().quota.skipExhausted,
    modelsChanged: (account, etag) => sync.etagSeen(account, etag),
  })
  const sync = buildSync(parts, { pool, providers, scheduler, catalogue })
  const keeper = makeBlockKeeper({ clock: systemClock, scheduler, store: parts.store, accounts: pool.accounts })
  return { scheduler, catalogue, pool, quota, providers, sync, keeper }
}
