/** Builds a whole running gateway out of a configuration, and takes it down again in order. */

import type { Config } from "#config/config.ts"
import type { Account } from "#core/account.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import { startServer } from "#http/server.ts"
import type { Store } from "#store/store.ts"
import type { Log } from "#telemetry/log.ts"

import { type BuiltEgress, buildEgress } from "./build-egress.ts"
import { type Bricks, layBricks } from "./lay-bricks.ts"
import { openStore } from "./open-store.ts"
import { saveBlocks } from "./saved-blocks.ts"
import { serveParts } from "./serve-parts.ts"

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

/** Starts everything. Rejects with the `GatewayError` that names what is in the way; nothing is left running then. */
export async function runGateway(parts: RunGatewayParts): Promise<RunningGateway> {
  const config = parts.config()
  const egress = buildEgress(config, parts.log)
  const store = openStore(config.dataDir)
  const bricks = await layBricks({ ...parts, egress, store })
  const { accounts, built } = bricks
  const takeDown = async () => {
    built.sync.stop()
    await accounts.close()
    saveBlocks(built.scheduler, store)
    store.close()
    egress.close()
  }
  try {
    await accounts.start()
    built.scheduler.restoreBlocks(store.listBlocks(systemClock()))
    const server = startServer(config.listen, bricks.gateway, serveParts(parts.config, bricks.record))
    const stopUpkeep = startUpkeep(bricks, store, egress)
    return {
      url: server.url,
      accounts: accounts.accounts,
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

function startUpkeep(bricks: Bricks, store: Store, egress: BuiltEgress): () => void {
  const cancelSaving = systemTimers.every(SAVE_BLOCKS_MS, () => saveBlocks(bricks.built.scheduler, store))
  const stops = [cancelSaving, bricks.startProbing(), egress.keepWarm()]
  return () => {
    for (const stop of stops) stop()
  }
}
