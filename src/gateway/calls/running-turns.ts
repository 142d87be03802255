/** The turns under way, so that a gateway that stops can end them itself and say why. */

import type { GatewayError } from "#core/errors.ts"

/** The book of running turns. */
export type RunningTurns = {
  /** Enters a turn; the returned function takes it out. */
  readonly enter: (abort: AbortController) => () => void
  /** Ends every turn with `reason`; each tells its client in its own dialect. */
  readonly abortAll: (reason: GatewayError) => void
}

/** Makes an empty book. */
export function makeRunningTurns(): RunningTurns {
  const running = new Set<AbortController>()
  return {
    enter: abort => {
      running.add(abort)
      return () => {
        running.delete(abort)
      }
    },
    abortAll: reason => {
      for (const abort of running) abort.abort(reason)
    },
  }
}
