/** Builds the bricks of one gateway and joins them. */

import { toGatewayError } from "#core/errors.ts"
import type { Log } from "#telemetry/log.ts"

import { buildCookies } from "./build-cookies.ts"
import type { BuiltEgress } from "./build-egress.ts"
import { buildGateway } from "./build-gateway.ts"
import { type BuiltPool, buildPool } from "./build-pool.ts"
import { type BuiltProxies, buildProxies } from "./build-proxies.ts"
import type { GatewayContext } from "./gateway-context.ts"
import { makeRecord } from "./make-record.ts"
import type { OpenedStore } from "./open-store.ts"
import { poolListener } from "./pool-listener.ts"
import { runAccounts } from "./run-accounts.ts"

/** What the bricks are built from: a configuration, a log, and what had to be opened first. */
export type LayBricksParts = {
  readonly config: GatewayContext["config"]
  readonly log: Log
  /** Where an account's token may stand. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly version: string
  readonly egress: BuiltEgress
  readonly opened: Pick<OpenedStore, "store" | "sealer">
  /** True: nothing is sent upstream unless somebody orders it; for commands that work on the accounts and leave. */
  readonly isIdle?: boolean
  readonly tenure: GatewayContext["tenure"]
  /** True: requests of the process before this one are still running. */
  readonly carriesReservations?: boolean
}

/** The bricks of one gateway. */
export type Bricks = Awaited<ReturnType<typeof layBricks>>

/** Asks nobody for model lists. */
const NO_SYNC: Pick<BuiltPool["sync"], "accountSeen"> = { accountSeen: () => {} }

/** Builds every part; the accounts and the pool need each other, which is why one of them is asked for late. */
export async function layBricks(parts: LayBricksParts) {
  const { log, egress, tenure, isIdle = false } = parts
  const { store, sealer } = parts.opened
  const { counters, journal, record } = makeRecord({ ...parts, labelOf: id => accounts.get(id)?.label })
  const reportFailure = (name: string, cause: unknown) =>
    log.warn({ reason: toGatewayError(cause).message }, `${name} failed`)
  const { cookies, send } = buildCookies({ store, sealer, send: egress.send, reportFailure, tenure })
  const shared = { config: parts.config, send, store, tenure, cookies, accounts: () => accounts, reportFailure }
  const built = await buildPool({
    ...shared,
    log,
    journal,
    egressFault: name => proxies.book.faultOf(name),
  })
  const proxies: BuiltProxies = buildProxies({ ...shared, sealer, egress, scheduler: built.scheduler, log })
  const accounts: Awaited<ReturnType<typeof runAccounts>> = await runAccounts({
    config: parts.config(),
    env: parts.env,
    store,
    sealer,
    cookies,
    send: egress.send,
    log,
    isIdle,
    listener: poolListener(isIdle ? { ...built, sync: NO_SYNC } : built, counters.forget),
  })
  const gateway = buildGateway({
    ...shared,
    sealer,
    built,
    proxies,
    counters,
    record,
    journal,
    version: parts.version,
    carriesReservations: parts.carriesReservations ?? false,
  })
  return { ...shared, ...gateway, journal, counters, accounts, built, proxies, record }
}
