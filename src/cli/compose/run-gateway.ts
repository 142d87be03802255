/** Builds a whole running gateway out of a configuration, and takes it down again in order. */

import { forgetOtherKeys } from "#accounts/secrets/load-master-key.ts"
import type { HandedOver } from "#cli/takeover/door.ts"
import { beginSuccession, type Succession, type SuccessionParts } from "#cli/takeover/succession.ts"
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
  /** Where this process may replace another one, and be replaced; absent where neither is possible. */
  readonly succession?: Pick<SuccessionParts, "takesOver" | "dismissed">
}

/** A running gateway. */
export type RunningGateway = {
  readonly url: URL
  readonly accounts: () => readonly Account[]
  /** Stops accepting, lets running answers finish up to `shutdown-timeout`, then saves and closes everything. */
  readonly stop: () => Promise<void>
  /** Resolves when another process has taken over, or when this one could not go on; `stop` is due then. */
  readonly left: Promise<HandedOver>
}

/** How often the scheduler's blocks are written down, and which account serves what. */
const SAVE_MS = 5_000

/** Starts everything. Rejects with the `GatewayError` that names what is in the way; nothing is left running then. */
export async function runGateway(parts: RunGatewayParts): Promise<RunningGateway> {
  const config = parts.config()
  const undo = makeUndoList()
  try {
    const slots = keyPlace(config, parts.env)
    const succession = await beginIfWanted(parts)
    undo.add(() => succession?.close())
    const bricks = await startBricks({ ...parts, ...succession, slots }, undo)
    const { accounts, egress, opened } = bricks
    bricks.bindings.restore()
    undo.add(() => saveBindings(bricks, bricks.bindings.saveAll))
    undo.add(bricks.journal.start())
    const upkeep = makeUpkeep(bricks)
    undo.add(upkeep.stop)
    undo.add(egress.keepWarm())
    await succession?.beforePorts(bricks)
    undo.add(() => succession?.sayClosed())
    const { config: live, log, openWorker } = parts
    const ports = await openPorts({ config: live, log, bricks, openWorker, between: succession?.between })
    undo.add(ports.stop)
    if (parts.onReload !== undefined) undo.add(parts.onReload(ports.follow))
    opened.store.announce(ports.url.href)
    await forgetOtherKeys(slots, opened.key)
    const save = () => saveBindings(bricks, bricks.bindings.saveAll)
    await succession?.serve({ bricks, ports, upkeep, saveBindings: save })
    upkeep.start()
    const left = succession?.left ?? new Promise<never>(() => {})
    return { url: ports.url, accounts: accounts.accounts, stop: undo.run, left }
  } catch (cause) {
    // What is in the way counts more than what goes wrong while everything is taken down again.
    await undo.run().catch(() => undefined)
    throw cause
  }
}

async function beginIfWanted({ config, log, version, succession }: RunGatewayParts): Promise<Succession | undefined> {
  return succession === undefined ? undefined : beginSuccession({ config, log, version, ...succession })
}

/** As {@link saveBlocks}; what is lost makes conversations find an account anew. */
function saveBindings({ reportFailure, tenure }: Pick<Bricks, "reportFailure" | "tenure">, save: () => void): void {
  // They are another process's by now, and told to it.
  if (tenure.phase() !== "ours") return
  try {
    save()
  } catch (cause) {
    reportFailure("saving the conversations' accounts", cause)
  }
}

/** Work that comes round by itself: it may be stopped and started again. */
function makeUpkeep({ startProbing, ...kept }: Bricks): { readonly start: () => void; readonly stop: () => void } {
  let running: (() => void)[] = []
  const stop = () => {
    for (const end of running) end()
    running = []
  }
  return {
    stop,
    start: () => {
      stop()
      const cancelSaving = systemTimers.every(SAVE_MS, () => {
        saveBlocks(kept)
        saveBindings(kept, kept.bindings.save)
      })
      running = [cancelSaving, startProbing(), kept.proxies.checks.start()]
    },
  }
}
