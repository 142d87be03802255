/** The operators' surface of a gateway that is built in this process and does nothing but what is ordered. */

import { keyPlace } from "#cli/compose/key-place.ts"
import { startBricks } from "#cli/compose/start-bricks.ts"
import { makeUndoList } from "#cli/compose/undo-list.ts"
import { VERSION } from "#cli/version.ts"
import type { Config } from "#config/config.ts"
import { systemTimers } from "#core/clock.ts"
import { makeLocalAdmin } from "#http/admin/admin.ts"

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
    const serve = makeLocalAdmin({ desk: gateway.desk, timers: systemTimers, version: VERSION })
    return {
      where: `the data folder ${config.dataDir}`,
      // The signal ends the work, and the answer says so: before that nothing may be closed.
      send: ({ path, ...init }, signal) => serve(new Request(`${ORIGIN}${path}`, { ...init, signal })),
      close: undo.run,
    }
  } catch (cause) {
    await undo.run()
    throw cause
  }
}
