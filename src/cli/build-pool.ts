/** The pool of accounts: scheduler, catalogue and the listener that keeps both in step with the account files. */

import type { Refresher, RefreshOutcome } from "#accounts/refresh-types.ts"
import type { Config } from "#config/config.ts"
import type { Account } from "#core/account.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { SendUpstream } from "#core/upstream.ts"
import { type CatalogueSync, startCatalogueSync } from "#gateway/catalogue-sync.ts"
import { type Catalogue, makeCatalogue } from "#gateway/models/catalogue.ts"
import { makePool, type Pool } from "#gateway/pool.ts"
import { makeProviders } from "#providers/registry.ts"
import { makeScheduler, type Scheduler } from "#scheduler/scheduler.ts"

import { keepModelList, type ModelListStore, readKeptLists } from "./kept-model-lists.ts"
import { readModelOverrideFile } from "./model-override-file.ts"
import type { AccountListener } from "./run-accounts.ts"

/** What the pool is built from. */
export type BuildPoolParts = {
  readonly config: () => Config
  readonly store: ModelListStore
  readonly send: SendUpstream
  /** Known once the accounts are put together, which need the pool themselves. */
  readonly refresher: () => Refresher
  readonly reportFailure: (name: string, cause: unknown) => void
  readonly forget: (account: Account["id"]) => void
}

/** The pool and what feeds it. */
export type BuiltPool = {
  readonly scheduler: Scheduler
  readonly catalogue: Catalogue
  readonly pool: Pool
  readonly providers: ReturnType<typeof makeProviders>
  readonly sync: CatalogueSync
  readonly listener: AccountListener
}

/** Builds an empty pool. Rejects when the model override file cannot be used. */
export async function buildPool(parts: BuildPoolParts): Promise<BuiltPool> {
  const config = parts.config()
  const providers = makeProviders({ identity: config.upstreamIdentity })
  const scheduler = makeScheduler({
    clock: systemClock,
    timers: systemTimers,
    random: Math.random,
    limits: () => schedulerLimits(parts.config()),
  })
  const overrides = await readModelOverrideFile(config.modelsPath)
  const catalogue = makeCatalogue({ clock: systemClock, overrides })
  const pool = makePool({
    clock: systemClock,
    scheduler,
    providers,
    baseUrl: config.baseUrl,
    refresh: account => refreshOrThrow(account, parts.refresher()),
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
  const listener: AccountListener = {
    put: account => {
      pool.put(account)
      sync.accountSeen(account)
    },
    removed: id => {
      pool.remove(id)
      catalogue.removeAccount(id)
      parts.forget(id)
    },
    lost: (id, effect, detail) =>
      scheduler.report(id, { effect: { type: effect }, startedAtMs: systemClock(), model: "", detail }),
  }
  return { scheduler, catalogue, pool, providers, sync, listener }
}

function schedulerLimits(config: Config) {
  return {
    accountConcurrency: config.accountConcurrency,
    queueMax: config.queue.max,
    queueTimeoutMs: config.queue.timeoutMs,
  }
}

async function refreshOrThrow(account: Account, refresher: Refresher): Promise<void> {
  const { credential } = account
  const rejected = credential.type === "chatgpt" ? { rejectedToken: credential.accessToken } : {}
  const outcome: RefreshOutcome = await refresher.refresh(account.id, rejected)
  if (outcome.type === "fresh") return
  throw new GatewayError("credential-rejected", "The account's access token was refused and could not be refreshed.", {
    code: "account_unavailable",
    hint: `Refreshing ended with ${outcome.failure.code}; sign the account in again if this stays.`,
  })
}
