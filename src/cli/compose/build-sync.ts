/** The sync that keeps the model catalogue current and remembers it in the store. */

import { systemClock, systemTimers } from "#core/clock.ts"
import { type CatalogueSync, type CatalogueSyncParts, startCatalogueSync } from "#gateway/pool/catalogue-sync.ts"

import type { GatewayContext } from "./gateway-context.ts"
import { keepModelList, readKeptLists } from "./kept-model-lists.ts"

type Fed = Pick<CatalogueSyncParts, "pool" | "providers" | "scheduler" | "catalogue">

/** Starts the sync; `fed` is what it reads accounts from and writes lists to. */
export function buildSync({ store, send, reportFailure }: GatewayContext, fed: Fed): CatalogueSync {
  return startCatalogueSync({
    ...fed,
    clock: systemClock,
    timers: systemTimers,
    random: Math.random,
    send,
    kept: readKeptLists(store),
    keep: (listClass, list) => keepModelList(store, listClass, list),
    reportFailure,
  })
}
