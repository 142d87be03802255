/** Builds a whole running gateway out of a configuration, and takes it down again in order. */

import { forgetOtherKeys } from "#accounts/secrets/load-master-key.ts"
import type { Config } from "#config/config.ts"
import type { Account } from "#core/account.ts"
import { systemTimers } from "#core/clock.ts"
import { startServer } from "#http/server.ts"
import type { Log } from "#telemetry/log.ts"

import { buildEgress } from "./build-egress.ts"
import { keyPlace } from "./key-place.ts"
import { type Bricks, layBricks } from "./lay-bricks.ts"
import { openStore } from "./open-store.ts"
import { serveParts } from "./serve-parts.ts"
import { makeUndoList } from "./undo-list.ts"

/** What a start needs. */
export type RunGatewayParts = {
  /** The configuration in force; read again at each use, so that live settings take effect. */
  readonly config: () => Config
  readonly log: Log
  /** Where `SLUICE_MASTER_KEY` may stand. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly version: string
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
    const egress = buildEgress(config, parts.log)
    undo.add(egress.close)
    const slots = keyPlace(config, parts.env)
    const opened = await openStore(config.dataDir, slots)
    undo.add(opened.store.close)
    if (opened.sealedNow > 0)
      parts.log.info({ credentials: opened.sealedNow }, "stored credentials are encrypted from now on")
    const bricks = await layBricks({ ...parts, egress, opened })
    const { accounts, built, bindings } = bricks
    undo.add(built.keeper.save)
    undo.add(bindings.saveAll)
    undo.add(accounts.close)
    undo.add(built.sync.stop)
    await accounts.start()
    built.keeper.restore()
    bindings.restore()
    undo.add(startUpkeep(bricks))
    undo.add(egress.keepWarm())
    const server = startServer(config.listen, bricks.gateway, serveParts(parts.config, bricks.record))
    undo.add(() => server.stop(parts.config().shutdownTimeoutMs))
    await forgetOtherKeys(slots, opened.key)
    return { url: server.url, accounts: accounts.accounts, stop: undo.run }
  } catch (cause) {
    await undo.run()
    throw cause
  }
}

function startUpkeep({ built, bindings, reportFailure, startProbing }: Bricks): () => void {
  const attempt = (name: string, save: () => void) => {
    try {
      save()
    } catch (cause) {
      // A store that is busy or full must not take the gateway down: the next round tries again.
      reportFailure(name, cause)
    }
  }
  const cancelSaving = systemTimers.every(SAVE_MS, () => {
    attempt("saving the accounts' blocks", built.keeper.save)
    attempt("saving the conversations' accounts", bindings.save)
  })
  const stopProbing = startProbing()
  return () => {
    cancelSaving()
    stopProbing()
  }
}
