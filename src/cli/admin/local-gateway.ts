/** The operators' surface of a gateway that is built in this process and does nothing but what is ordered. */

import { keyPlace } from "#cli/compose/key-place.ts"
import { startBricks } from "#cli/compose/start-bricks.ts"
import { makeUndoList } from "#cli/compose/undo-list.ts"
import { VERSION } from "#cli/version.ts"
import type { Config } from "#config/config.ts"
import { systemTimers } from "#core/clock.ts"
import { makeLocalAdmin } from "#http/admin/admin.ts"
import { closedStatus } from "#http/ollama/status.ts"

import type { AdminConnection } from "./admin-connection.ts"
import { type ErrorOutput, makeErrorLog } from "./error-log.ts"
import { giveToOwner } from "./give-to-owner.ts"

/** Whose accounts, and where failures are told that no answer tells. */
export type LocalGatewayParts = ErrorOutput & {
  readonly config: Config
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Nobody sees the name; the routes want one. */
const ORIGIN = "http://localhost"

/** What ends within this time needs no word. */
const UNEXPLAINED_MS = 500

/** An exchange of a token that has begun must not be cut off; whoever pressed Ctrl-C should know what is waited for. */
function makeEndingNote(stderr: ErrorOutput["stderr"]): {
  readonly watch: (signal: AbortSignal) => void
  readonly stop: () => void
} {
  const stopped = new AbortController()
  const watched = new WeakSet<AbortSignal>()
  const say = () => {
    if (!stopped.signal.aborted) stderr("ending: what has begun is finished first; Ctrl-C once more ends at once\n")
  }
  return {
    watch: signal => {
      if (watched.has(signal)) return
      watched.add(signal)
      const options = { once: true, signal: stopped.signal }
      signal.addEventListener("abort", () => systemTimers.after(UNEXPLAINED_MS, say), options)
    },
    stop: () => stopped.abort(),
  }
}

/**
 * Takes the data folder and loads the accounts: no background work, no port. Rejects with the reason, the code
 * `IN_USE_CODE` among them; nothing is open then.
 */
export async function openLocalGateway({ config, env, stderr }: LocalGatewayParts): Promise<AdminConnection> {
  const undo = makeUndoList()
  const log = makeErrorLog({ stderr })
  const owner = giveToOwner(config.dataDir)
  undo.add(owner.give)
  try {
    const slots = keyPlace(config, env)
    const started = { config: () => config, log, env, version: VERSION, slots, isIdle: true }
    const { gateway } = await startBricks(started, undo)
    owner.give()
    // What a refresh has told of an account is written down right after it.
    undo.add(() => new Promise(done => systemTimers.after(0, done)))
    const ending = makeEndingNote(stderr)
    // Runs first of all: closing waits as well, but not for long.
    undo.add(ending.stop)
    const serve = makeLocalAdmin({
      desk: gateway.desk,
      timers: systemTimers,
      version: VERSION,
      ollamaStatus: () => closedStatus(config.ollama),
    })
    return {
      where: `the data folder ${config.dataDir}`,
      send: ({ path, ...init }, signal) => {
        ending.watch(signal)
        // The signal ends the work, and the answer says so: before that nothing may be closed.
        return serve(new Request(`${ORIGIN}${path}`, { ...init, signal }))
      },
      close: undo.run,
    }
  } catch (cause) {
    await undo.run()
    throw cause
  }
}
