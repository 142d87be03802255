/** The owner's side of an answer that another thread serves: it waits for the end and draws the consequences. */

import { assertNever } from "#core/assert-never.ts"
import { toGatewayError } from "#core/errors.ts"
import type { ServeTurnParts } from "#gateway/calls/serve-turn-parts.ts"
import type { Carriage, CarriedNote, Carrier } from "#gateway/turn/carrier.ts"
import { laneOf } from "#gateway/turn/carry-turn.ts"
import type { RequestEnd } from "#gateway/turn/settle.ts"
import type { TurnParts } from "#gateway/turn/turn-parts.ts"
import type { CommittedTurn, Turn } from "#gateway/turn/turn-types.ts"

import type { GatewayAnswer } from "./answer.ts"

/** How far the turn is. `early` is undefined when the headers go out before an attempt is committed to. */
export type CarriedInput = {
  readonly committed: Promise<CommittedTurn>
  readonly early: CommittedTurn | undefined
  readonly abort: AbortController
}

/** What a turn has to know of its carrier, with the settings in force. */
export function carriageOf(
  carrier: Carrier,
  { streamLimits, exposeCodexHeaders }: Pick<ServeTurnParts, "streamLimits" | "exposeCodexHeaders">,
): Carriage {
  const { idleTimeoutMs, clientKeepaliveMs } = streamLimits()
  return { carrier, limits: { idleTimeoutMs, clientKeepaliveMs }, exposesQuota: exposeCodexHeaders() }
}

/** What is returned is not for the client: who carries the turn answers it. */
const SERVED_ELSEWHERE: GatewayAnswer = { status: 200, headers: {}, body: "" }

/** Lets the carrier answer; settles the request when that has ended. */
export function answerCarried(
  turn: Turn,
  carriage: Carriage,
  input: CarriedInput,
  parts: Pick<TurnParts, "clock" | "scheduler">,
): GatewayAnswer {
  const { carrier } = carriage
  const accept = (committed: CommittedTurn) => {
    if (turn.request.stream) turn.settler.firstByte()
    carrier.onNote(note => tell(note, committed))
    committed.carried?.accept()
  }
  if (input.early !== undefined) accept(input.early)
  else {
    carrier.greet(laneOf(turn, carriage, parts.clock()))
    input.committed.then(accept, cause => carrier.fail(toGatewayError(cause)))
  }
  carrier.ended
    .then(end => settle(turn, end, input, parts))
    .catch(cause => {
      const error = toGatewayError(cause)
      turn.settler.end({ status: error.status, error })
    })
  return SERVED_ELSEWHERE
}

async function settle(
  turn: Turn,
  end: RequestEnd,
  { committed, abort }: CarriedInput,
  { scheduler }: Pick<TurnParts, "scheduler">,
): Promise<void> {
  // Ends the tries of a turn whose client did not wait for one of them.
  if (end.error !== undefined) abort.abort(end.error)
  // What failed before has released its lease, and its failure is this end.
  const served = await committed.catch(() => undefined)
  if (served !== undefined) {
    const { account, startedAtMs, firstOutputMs } = served
    giveBack(served)
    if (end.error === undefined) {
      scheduler.succeeded(account, { startedAtMs, firstOutputMs, model: turn.plan.slug })
      turn.settler.firstByte()
    }
  }
  turn.settler.end(end)
}

/** The reader gives nothing, but whoever counts what is on a way out waits for its end. */
function giveBack({ lease, reader }: CommittedTurn): void {
  lease.release()
  reader.cancel().catch(() => {
    // Over already, which is what was wanted.
  })
}

function tell(note: CarriedNote, { answer }: CommittedTurn): void {
  switch (note.type) {
    case "aside":
      answer.noteAside?.(note.event)
      break
    case "opaque":
      answer.noteOpaque?.(note.text)
      break
    case "response":
      answer.noteResponse?.(note.text)
      break
    case "failure":
      // Reports to the scheduler; the error is the client's, who has it already.
      answer.readFailure(note.failure)
      break
    default:
      assertNever(note)
  }
}
