/** The pool of accounts: scheduler, providers, model catalogue and what keeps it current. */

import { systemClock } from "#core/clock.ts"
import { type Catalogue, makeCatalogue } from "#gateway/models/catalogue.ts"
import type { ModelOverride } from "#gateway/models/model-override.ts"
import type { CatalogueSync } from "#gateway/pool/catalogue-sync.ts"
import { makePool, type Pool } from "#gateway/pool/pool.ts"
import { makeProviders } from "#providers/registry.ts"

import { buildKeepers, type KeeperParts } from "./build-keepers.ts"
import { type BuildQuotaParts, type BuiltQuota, buildQuota } from "./build-quota.ts"
import { buildScheduler } from "./build-scheduler.ts"
import { buildSync } from "./build-sync.ts"
import type { GatewayContext } from "./gateway-context.ts"
import { refreshOrThrow } from "./refresh-or-throw.ts"

/** What the pool is built from. */
export type BuildPoolParts = GatewayContext &
  BuildQuotaParts &
  Pick<KeeperParts, "journal"> & {
    readonly overrides: readonly ModelOverride[]
  }

/** The pool and what feeds it. */
export type BuiltPool = {
  readonly scheduler: ReturnType<typeof buildScheduler>
  readonly catalogue: Catalogue
  readonly pool: Pool
  readonly quota: BuiltQuota
  readonly providers: ReturnType<typeof makeProviders>
  readonly sync: CatalogueSync
  readonly keeper: ReturnType<typeof buildKeepers>
}

/** Builds an empty pool. */
export function buildPool(parts: BuildPoolParts): BuiltPool {
  const config = parts.config()
  const providers = makeProviders({ identity: config.upstreamIdentity })
  const scheduler = buildScheduler(parts.config, parts.reportFailure)
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
  const keeper = buildKeepers({ ...parts, scheduler, pool, quota })
  return { scheduler, catalogue, pool, quota, providers, sync, keeper }
}
