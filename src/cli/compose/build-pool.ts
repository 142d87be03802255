/** The pool of accounts: scheduler, providers, model catalogue and what keeps it current. */

import { systemClock } from "#core/clock.ts"
import { type Catalogue, makeCatalogue } from "#gateway/models/catalogue.ts"
import { makePool, type Pool, type PoolParts } from "#gateway/pool/pool.ts"
import { makeProviders } from "#providers/registry.ts"

import { buildKeepers, type KeeperParts } from "./build-keepers.ts"
import { type BuildQuotaParts, type BuiltQuota, buildQuota } from "./build-quota.ts"
import { buildScheduler } from "./build-scheduler.ts"
import { buildSeats } from "./build-seats.ts"
import { buildSync } from "./build-sync.ts"
import type { GatewayContext } from "./gateway-context.ts"
import { readModelOverrideFile } from "./model-override-file.ts"
import { refreshAnywhere } from "./refresh-anywhere.ts"

/** What the pool is built from. */
export type BuildPoolParts = GatewayContext &
  BuildQuotaParts &
  Pick<KeeperParts, "journal"> & {
    /** Known once the proxies are read, which is before any account is. */
    readonly egressFault: NonNullable<PoolParts["egressFault"]>
  }

/** The pool and what feeds it. */
export type BuiltPool = {
  readonly scheduler: ReturnType<typeof buildScheduler>
  readonly catalogue: Catalogue
  readonly pool: Pool
  readonly quota: BuiltQuota
  readonly providers: ReturnType<typeof makeProviders>
  readonly sync: ReturnType<typeof buildSync>
  readonly keeper: ReturnType<typeof buildKeepers>
}

/** Builds an empty pool. Rejects with what is wrong with the file of models that the configuration names. */
export async function buildPool(parts: BuildPoolParts): Promise<BuiltPool> {
  const config = parts.config()
  const providers = makeProviders({ identity: config.upstreamIdentity })
  const scheduler = buildScheduler({
    config: parts.config,
    reportFailure: parts.reportFailure,
    suspended: buildSeats(parts, () => ({ pool, providers, scheduler })),
  })
  const catalogue = makeCatalogue({ clock: systemClock, overrides: await readModelOverrideFile(config.modelsPath) })
  const quota = buildQuota(parts)
  const pool = makePool({
    clock: systemClock,
    random: Math.random,
    scheduler,
    providers,
    baseUrl: config.baseUrl,
    refresh: (account, refusedToken) =>
      refreshAnywhere(account, refusedToken, { ...parts, renewed: renewed => pool.renew(renewed) }),
    watch: quota.watch,
    skipsExhausted: () => parts.config().quota.skipExhausted,
    egressFault: parts.egressFault,
    modelsChanged: (account, etag) => sync.etagSeen(account, etag),
  })
  const sync = buildSync(parts, { pool, providers, scheduler, catalogue })
  const keeper = buildKeepers({ ...parts, scheduler, pool, quota })
  return { scheduler, catalogue, pool, quota, providers, sync, keeper }
}
