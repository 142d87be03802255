/** The pool of accounts: scheduler, providers, model catalogue and what keeps it current. */

import { systemClock, systemTimers } from "#core/clock.ts"
import { type CatalogueSync, startCatalogueSync } from "#gateway/catalogue-sync.ts"
import { type Catalogue, makeCatalogue } from "#gateway/models/catalogue.ts"
import type { ModelOverride } from "#gateway/models/model-override.ts"
import { makePool, type Pool } from "#gateway/pool.ts"
import { makeProviders } from "#providers/registry.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"

import { buildScheduler } from "./build-scheduler.ts"
import type { GatewayContext } from "./gateway-context.ts"
import { keepModelList, type ModelListStore, readKeptLists } from "./kept-model-lists.ts"
import { refreshOrThrow } from "./refresh-or-throw.ts"

/** What the pool is built from. */
export type BuildPoolParts = GatewayContext & {
  readonly store: ModelListStore
  readonly overrides: readonly ModelOverride[]
}

/** The pool and what feeds it. */
export type BuiltPool = {
  readonly scheduler: Scheduler
  readonly catalogue: Catalogue
  readonly pool: Pool
  readonly providers: ReturnType<typeof makeProviders>
  readonly sync: CatalogueSync
}

/** Builds an empty pool. */
export function buildPool(parts: BuildPoolParts): BuiltPool {
  const config = parts.config()
  const providers = makeProviders({ identity: config.upstreamIdentity })
  const scheduler = buildScheduler(parts.config)
  const catalogue = makeCatalogue({ clock: systemClock, overrides: parts.overrides })
  const pool = makePool({
    clock: systemClock,
    random: Math.random,
    scheduler,
    providers,
    baseUrl: config.baseUrl,
    refresh: (account, refusedToken) => refreshOrThrow(account, refusedToken, parts.accounts()),
    modelsChanged: (account, etag) => sync.etagSeen(account, etag),
  })
  const sync = startCatalogueSync({
    clock: systemClock,
    timers: systemTimers,
    random: Math.random,
    pool,
    providers,
    scheduler,
    send: parts.send,
    catalogue,
    kept: readKeptLists(parts.store),
    keep: (listClass, list) => keepModelList(parts.store, listClass, list),
    reportFailure: parts.reportFailure,
  })
  return { scheduler, catalogue, pool, providers, sync }
}
