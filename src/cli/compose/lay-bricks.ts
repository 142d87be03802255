/** Builds the bricks of one gateway and joins them. */

import type { AccountPool } from "#accounts/account-pool.ts"
import type { Config } from "#config/config.ts"
import { toGatewayError } from "#core/errors.ts"
import type { Log } from "#telemetry/log.ts"

import type { BuiltEgress } from "./build-egress.ts"
import { buildGateway } from "./build-gateway.ts"
import { buildPool } from "./build-pool.ts"
import { makeRecord } from "./make-record.ts"
import { readModelOverrideFile } from "./model-override-file.ts"
import type { OpenedStore } from "./open-store.ts"
import { poolListener } from "./pool-listener.ts"
import { runAccounts } from "./run-accounts.ts"

/** What the bricks are built from: a configuration, a log, and what had to be opened first. */
export type LayBricksParts = {
  readonly config: () => Config
  readonly log: Log
  readonly version: string
  readonly egress: BuiltEgress
  readonly opened: Pick<OpenedStore, "store" | "sealer">
}

/** The bricks of one gateway. */
export type Bricks = Awaited<ReturnType<typeof layBricks>>

/** Builds every part; the accounts and the pool need each other, which is why one of them is asked for late. */
export async function layBricks(parts: LayBricksParts) {
  const { log, egress } = parts
  const { store, sealer } = parts.opened
  const { counters, record } = makeRecord(log, id => accounts.get(id)?.label)
  const shared = {
    config: parts.config,
    send: egress.send,
    store,
    accounts: () => accounts,
    reportFailure: (name: string, cause: unknown) =>
      log.warn({ reason: toGatewayError(cause).message }, `${name} failed`),
  }
  const built = buildPool({
    ...shared,
    overrides: await readModelOverrideFile(parts.config().modelsPath),
  })
  const accounts: AccountPool = runAccounts({
    config: parts.config(),
    store,
    sealer,
    send: egress.send,
    log,
    listener: poolListener(built, counters.forget),
  })
  const { gateway, bindings, startProbing } = buildGateway({
    ...shared,
    built,
    counters,
    record,
    version: parts.version,
  })
  return { ...shared, accounts, built, bindings, gateway, startProbing, record }
}
