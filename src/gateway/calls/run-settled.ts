/** Runs one request and makes sure that it is settled, whatever happens. */

import { toGatewayError } from "#core/errors.ts"
import type { ClientCall } from "#core/request.ts"
import type { GatewayAnswer } from "#gateway/answer/answer.ts"
import type { KeyCharge } from "#gateway/keys/key-gate.ts"
import type { Carrier } from "#gateway/turn/carrier.ts"
import { makeSettler, type Settler } from "#gateway/turn/settle.ts"

import type { RunningTurns } from "./running-turns.ts"
import type { ServeTurnParts } from "./serve-turn-parts.ts"

/** One request as long as it runs. */
export type Run = {
  readonly settler: Settler
  /** What the client's key pays. */
  readonly charge: KeyCharge
  /** Ends the upstream request: client gone, deadline, shutdown. */
  readonly abort: AbortController
  /** Who holds the client's connection, where that is another thread. */
  readonly carrier?: Carrier | undefined
}

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
