/** One model call from admission to answer: prepare, try accounts, and open the lane the client asked for. */

import type { ClientCall } from "#core/request.ts"
import type { GatewayAnswer } from "#gateway/answer/answer.ts"
import { answerCarried, carriageOf } from "#gateway/answer/answer-carried.ts"
import { answerNothing } from "#gateway/answer/answer-nothing.ts"
import { answerOnce } from "#gateway/answer/answer-once.ts"
import { streamTurn } from "#gateway/answer/stream-turn.ts"
import { prepareTurn } from "#gateway/turn/prepare-turn.ts"
import { runTurn } from "#gateway/turn/turn.ts"
import type { TurnKind } from "#gateway/turn/turn-types.ts"

import { linkAbort, settledWithin } from "./client-waits.ts"
import type { Run } from "./run-settled.ts"
import type { ServeTurnParts } from "./serve-turn-parts.ts"

/**
 * How long a streaming client waits for headers. After that they go out with a 200 and keep-alives follow: clients with
 * a short header timeout would give up on a model that thinks, and a failure can still be said inside the stream.
 */
const HEADERS_LATEST_MS = 15_000

/** Serves one call. Rejects with the `GatewayError` the client gets; whoever made the run settles it then. */
export async function serveTurn(
  call: ClientCall,
  kind: TurnKind,
  { settler, abort, charge, carrier }: Run,
  parts: ServeTurnParts,
): Promise<GatewayAnswer> {
  const prepared = prepareTurn(call, { kind, settler, planModel: parts.planModel, scope: charge.scope })
  const turn = carrier === undefined ? prepared : { ...prepared, carriage: carriageOf(carrier, parts) }
  const place = charge.admit(turn, call.signal)
  if (place !== undefined) await place
  if (turn.request.reply.wantsNothing) return answerNothing(turn, parts.turn.clock)
  parts.turn.budget.request()
  linkAbort(call.signal, abort)
  const committed = runTurn(turn, abort, parts.turn)
  if (!turn.request.stream && carrier === undefined) return answerOnce(turn, await committed, abort, parts)
  const early = turn.request.stream
    ? await settledWithin(committed, HEADERS_LATEST_MS, parts.turn.timers)
    : await committed
  if (turn.carriage !== undefined) return answerCarried(turn, turn.carriage, { committed, early, abort }, parts.turn)
  return streamTurn(turn, { committed, early, abort }, parts)
}
