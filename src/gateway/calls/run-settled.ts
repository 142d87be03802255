/** Runs one request and makes sure that it is settled, whatever happens. */

import { toGatewayError } from "#core/errors.ts"
import type { ClientCall } from "#core/request.ts"
import type { GatewayAnswer } from "#gateway/answer/answer.ts"
import { makeSettler } from "#gateway/turn/settle.ts"

import type { RunningTurns } from "./running-turns.ts"
import type { Run } from "./serve-turn.ts"
import type { ServeTurnParts } from "./serve-turn-parts.ts"

/** What a run needs: the book of running turns, and where outcomes go. */
export type RunSettledParts = {
  readonly running: RunningTurns
  readonly serving: Pick<ServeTurnParts, "record" | "turn" | "keys">
}

/** Calls `serve` once. Rejects with its `GatewayError`; an answer that streams settles itself later. */
export async function runSettled(
  call: ClientCall,
  { running, serving }: RunSettledParts,
  serve: (run: Run) => Promise<GatewayAnswer>,
): Promise<GatewayAnswer> {
  const abort = new AbortController()
  const leave = running.enter(abort)
  const charge = serving.keys.open(call.principal)
  const settler = makeSettler(call, {
    clock: serving.turn.clock,
    record: outcome => {
      leave()
      charge.settle(outcome)
      serving.record(outcome)
    },
  })
  try {
    return await serve({ settler, abort, charge })
  } catch (cause) {
    const error = toGatewayError(cause)
    settler.end({ status: error.status, error })
    throw error
  }
}
