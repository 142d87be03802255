/** Builds a whole running gateway out of a configuration, and takes it down again in order. */

import { join } from "node:path"

import type { Config } from "#config/config.ts"
import type { Account } from "#core/account.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import { toGatewayError } from "#core/errors.ts"
import type { RandomBytes } from "#core/ids.ts"
import type { Outcome } from "#core/outcome.ts"
import { refusedOutcome } from "#gateway/gateway.ts"
import { makeAdmission } from "#http/admission.ts"
import type { ServeParts } from "#http/serve-model.ts"
import { startServer } from "#http/server.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"
import { makeStore, type Store } from "#store/store.ts"
import { makeCounters } from "#telemetry/counters.ts"
import type { Log } from "#telemetry/log.ts"
import { makeRequestLine } from "#telemetry/request-line.ts"

import { type BuiltEgress, buildEgress } from "./build-egress.ts"
import { buildGateway } from "./build-gateway.ts"
import { buildPool } from "./build-pool.ts"
import { type RunningAccounts, runAccounts } from "./run-accounts.ts"

/** What a start needs. */
export type RunGatewayParts = {
  /** The configuration in force; read again at each use, so that live settings take effect. */
  readonly config: () => Config
  readonly log: Log
  readonly version: string
}

/** A running gateway. */
export type RunningGateway = {
  readonly url: URL
  readonly accounts: () => readonly Account[]
  /** Stops accepting, lets running answers finish up to `shutdown-timeout`, then saves and closes everything. */
  readonly stop: () => Promise<void>
}

/** How often the scheduler's blocks are written down. */
const SAVE_BLOCKS_MS = 5_000

const randomBytes: RandomBytes = bytes => crypto.getRandomValues(bytes)

/** Starts everything. Rejects with the `GatewayError` that names what is in the way; nothing is left running then. */
export async function runGateway(parts: RunGatewayParts): Promise<RunningGateway> {
  const config = parts.config()
  const egress = buildEgress(config, parts.log)
  const store = makeStore({ path: join(config.dataDir, "core.db"), pid: process.pid })
  const bricks = await layBricks(parts, { egress, store })
  const { accounts, built } = bricks
  const takeDown = async () => {
    built.sync.stop()
    await accounts.stop()
    saveAllBlocks(built.scheduler, store)
    store.close()
    egress.close()
  }
  try {
    await accounts.start()
    built.scheduler.restoreBlocks(store.listBlocks(systemClock()))
    const server = startServer(config.listen, bricks.gateway, serveParts(parts, bricks.record))
    const stopUpkeep = startUpkeep(bricks, store, egress)
    return {
      url: server.url,
      accounts: accounts.refresher.accounts,
      stop: async () => {
        await server.stop(parts.config().shutdownTimeoutMs)
        stopUpkeep()
        await takeDown()
      },
    }
  } catch (cause) {
    await takeDown()
    throw cause
  }
}

type Opened = { readonly egress: BuiltEgress; readonly store: Store }

/** Builds every part; the accounts and the pool need each other, which is why one of them is asked for late. */
async function layBricks(parts: RunGatewayParts, { egress, store }: Opened) {
  const { log } = parts
  const counters = makeCounters()
  const requestLine = makeRequestLine({ log, labelOf: id => accounts.refresher.get(id)?.label })
  const record = (outcome: Outcome) => {
    counters.recordOutcome(outcome)
    requestLine(outcome)
  }
  const shared = {
    config: parts.config,
    send: egress.send,
    refresher: () => accounts.refresher,
    reportFailure: (name: string, cause: unknown) =>
      log.warn({ reason: toGatewayError(cause).message }, `${name} failed`),
  }
  const built = await buildPool({ ...shared, store, forget: counters.forget })
  const accounts: RunningAccounts = runAccounts({
    config: parts.config(),
    store,
    send: egress.send,
    clock: systemClock,
    timers: systemTimers,
    random: randomBytes,
    log,
    listener: built.listener,
  })
  const { gateway, startProbing } = buildGateway({ ...shared, built, counters, record, version: parts.version })
  return { accounts, built, gateway, startProbing, record }
}

type Bricks = Awaited<ReturnType<typeof layBricks>>

function startUpkeep(bricks: Bricks, store: Store, egress: BuiltEgress): () => void {
  const cancelSaving = systemTimers.every(SAVE_BLOCKS_MS, () => saveAllBlocks(bricks.built.scheduler, store))
  const stops = [cancelSaving, bricks.startProbing(), egress.keepWarm()]
  return () => {
    for (const stop of stops) stop()
  }
}

function serveParts(parts: RunGatewayParts, record: (outcome: Outcome) => void): ServeParts {
  return {
    clock: systemClock,
    timers: systemTimers,
    random: randomBytes,
    admission: admissionOf(parts.config),
    bodyLimits: () => ({ maxBytes: parts.config().maxBodyBytes, timeoutMs: parts.config().bodyTimeoutMs }),
    refused: refusal => record(refusedOutcome({ ...refusal, nowMs: systemClock() })),
  }
}

/** Keys may change while running; the digests are made again only then. */
function admissionOf(config: () => Config) {
  let keys = config().apiKeys
  let admission = makeAdmission(keys)
  return () => {
    const current = config().apiKeys
    if (current !== keys) {
      keys = current
      admission = makeAdmission(keys)
    }
    return admission
  }
}

/** Accounts without a block are written too, when they had one: their old rows must go. */
function saveAllBlocks(scheduler: Scheduler, store: Store): void {
  const rows = Map.groupBy(scheduler.snapshotBlocks(), row => row.accountId)
  const kept = Map.groupBy(store.listBlocks(systemClock()), row => row.accountId)
  for (const id of new Set([...rows.keys(), ...kept.keys()])) store.saveBlocks(id, rows.get(id) ?? [])
}
