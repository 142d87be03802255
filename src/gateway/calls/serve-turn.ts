/** One model call from admission to answer: prepare, try accounts, and open the lane the client asked for. */

import type { Timers } from "#core/clock.ts"
import type { ClientCall } from "#core/request.ts"
import type { GatewayAnswer } from "#gateway/answer/answer.ts"
import { answerNothing } from "#gateway/answer/answer-nothing.ts"
import { answerOnce } from "#gateway/answer/answer-once.ts"
import { streamTurn } from "#gateway/answer/stream-turn.ts"
import type { KeyCharge } from "#gateway/keys/key-gate.ts"
import { prepareTurn } from "#gateway/turn/prepare-turn.ts"
import type { Settler } from "#gateway/turn/settle.ts"
import { runTurn } from "#gateway/turn/turn.ts"
import type { TurnKind } from "#gateway/turn/turn-types.ts"

import type { ServeTurnParts } from "./serve-turn-parts.ts"

/**
 * How long a streaming client waits for headers. After that they go out with a 200 and keep-alives follow: clients with
 * a short header timeout would give up on a model that thinks, and a failure can still be said inside the stream.
 */
const HEADERS_LATEST_MS = 15_000

/** One request as long as it runs. */
export type Run = {
  readonly settler: Settler
  /** What the client's key pays. */
  readonly charge: KeyCharge
  /** Ends the upstream request: client gone, deadline, shutdown. */
  readonly abort: AbortController
}

/** Serves one call. Rejects with the `GatewayError` the client gets; whoever made the run settles it then. */
export async function serveTurn(
  call: ClientCall,
  kind: TurnKind,
  { settler, abort, charge }: Run,
  parts: ServeTurnParts,
): Promise<GatewayAnswer> {
  const turn = prepareTurn(call, { kind, settler, planModel: parts.planModel, scope: charge.scope })
  const place = charge.admit(turn, call.signal)
  if (place !== undefined) await place
  if (turn.request.reply.wantsNothing) return answerNothing(turn, parts.turn.clock)
  parts.turn.budget.request()
  linkAbort(call.signal, abort)
  const committed = runTurn(turn, abort, parts.turn)
  if (!turn.request.stream) return answerOnce(turn, await committed, abort, parts)
  const early = await settledWithin(committed, HEADERS_LATEST_MS, parts.turn.timers)
  return streamTurn(turn, { committed, early, abort }, parts)
}

/** The client's departure ends the upstream request; the reason tells it apart from our own deadlines. */
function linkAbort(client: AbortSignal, abort: AbortController): void {
  if (client.aborted) abort.abort()
  else client.addEventListener("abort", () => abort.abort(), { once: true })
}

/** Resolves with the value when it is there in time, with undefined when it is late; rejects when it fails in time. */
async function settledWithin<Value>(
  pending: Promise<Value>,
  withinMs: number,
  timers: Timers,
): Promise<Value | undefined> {
  let cancelTimer = () => {}
  const late = new Promise<undefined>(resolve => {
    cancelTimer = timers.after(withinMs, () => resolve(undefined))
  })
  try {
    return await Promise.race([pending, late])
  } finally {
    cancelTimer()
  }
}
