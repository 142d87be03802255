/** Builds a whole running gateway out of a configuration, and takes it down again in order. */

import { forgetOtherKeys } from "#accounts/secrets/load-master-key.ts"
import type { Config } from "#config/config.ts"
import type { Account } from "#core/account.ts"
import { systemTimers } from "#core/clock.ts"
import type { Log } from "#telemetry/log.ts"

import { keyPlace } from "./key-place.ts"
import type { Bricks } from "./lay-bricks.ts"
import { openPorts } from "./open-ports.ts"
import { saveBlocks, startBricks } from "./start-bricks.ts"
import { makeUndoList } from "./undo-list.ts"

/** What a start needs. */
export type RunGatewayParts = {
  /** The configuration in force; read again at each use, so that live settings take effect. */
  readonly config: () => Config
  /** Calls back when another configuration is in force; returns how to stop that. Absent where none ever is. */
  readonly onReload?: (listener: () => void) => () => void
  readonly log: Log
  /** Where `SLUICE_MASTER_KEY` may stand. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly version: string
  /** How a relay thread is started; for tests that end one. */
  readonly openWorker?: () => Worker
}

/** A running gateway. */
export type RunningGateway = {
  readonly url: URL
  readonly accounts: () => readonly Account[]
  /** Stops accepting, lets running answers finish up to `shutdown-timeout`, then saves and closes everything. */
  readonly stop: () => Promise<void>
}

/** How often the scheduler's blocks are written down, and which account serves what. */
const SAVE_MS = 5_000

/** Starts everything. Rejects with the `GatewayError` that names what is in the way; nothing is left running then. */
export async function runGateway(parts: RunGatewayParts): Promise<RunningGateway> {
  const config = parts.config()
  const undo = makeUndoList()
  try {
    const slots = keyPlace(config, parts.env)
    const bricks = await startBricks({ ...parts, slots }, undo)
    const { accounts, egress, opened } = bricks
    bricks.bindings.restore()
    undo.add(() => saveBindings(bricks, bricks.bindings.saveAll))
    undo.add(bricks.journal.start())
    undo.add(startUpkeep(bricks))
    undo.add(egress.keepWarm())
    const { config: live, log, openWorker } = parts
    const ports = await openPorts({ config: live, log, bricks, openWorker })
    undo.add(ports.stop)
    if (parts.onReload !== undefined) undo.add(parts.onReload(ports.follow))
    opened.store.announce(ports.url.href)
    await forgetOtherKeys(slots, opened.key)
    return { url: ports.url, accounts: accounts.accounts, stop: undo.run }
  } catch (cause) {
    // What is in the way counts more than what goes wrong while everything is taken down again.
    await undo.run().catch(() => undefined)
    throw cause
  }
}

/** As {@link saveBlocks}; what is lost makes conversations find an account anew. */
function saveBindings({ reportFailure }: Pick<Bricks, "reportFailure">, save: () => void): void {
  try {
    save()
  } catch (cause) {
    reportFailure("saving the conversations' accounts", cause)
  }
}

function startUpkeep({ startProbing, ...kept }: Bricks): () => void {
  const cancelSaving = systemTimers.every(SAVE_MS, () => {
    saveBlocks(kept)
    saveBindings(kept, kept.bindings.save)
  })
  const stopProbing = startProbing()
  const stopChecks = kept.proxies.checks.start()
  return () => {
    cancelSaving()
    stopProbing()
    stopChecks()
  }
}
