/** Opens the store of a data directory; what stands in the way is told as something an operator can act on. */

import { join } from "node:path"

import { GatewayError } from "#core/errors.ts"
import { makeStore, type Store } from "#store/store.ts"

/** Opens `<dataDir>/core.db`. Throws `internal` with the directory's name and a hint. */
export function openStore(dataDir: string): Store {
  try {
    return makeStore({ path: join(dataDir, "core.db"), pid: process.pid })
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new GatewayError("internal", `The data directory ${dataDir} cannot be used: ${reason}`, {
      hint: "Let this user write to it, or name another one with --data-dir.",
      cause,
    })
  }
}
