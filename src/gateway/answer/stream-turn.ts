/** The answer of a turn that streams: headers now, bytes as the client pulls them. */

import type { ServeTurnParts } from "#gateway/calls/serve-turn-parts.ts"
import { replyContextOf } from "#gateway/turn/reply-context.ts"
import type { CommittedTurn, Turn } from "#gateway/turn/turn-types.ts"

import type { GatewayAnswer } from "./answer.ts"
import { openFailurePipe, openPipe } from "./lanes.ts"
import { replyHeaders } from "./reply-headers.ts"
import { makeAnswerStream } from "./stream-answer.ts"

/** How far the turn is. `early` is undefined when the headers go out before an attempt is committed to. */
export type StreamTurnInput = {
  readonly committed: Promise<CommittedTurn>
  readonly early: CommittedTurn | undefined
  readonly abort: AbortController
}

/** Opens the stream; it settles the request. */
export function streamTurn(turn: Turn, input: StreamTurnInput, parts: ServeTurnParts): GatewayAnswer {
  const { clock, timers, scheduler } = parts.turn
  const { protocol } = turn.call
  const openSilentPipe = () => openFailurePipe(protocol, replyContextOf(turn, clock, clock()))
  const body = makeAnswerStream({
    clock,
    timers,
    heartbeat: parts.heartbeat,
    limits: parts.streamLimits(),
    settler: turn.settler,
    committed: input.committed,
    headersFirst: input.early === undefined,
    openPipe: ({ context, answer }) => openPipe(protocol, context, answer),
    openFailurePipe: openSilentPipe,
    waiting: openSilentPipe().keepAlive,
    abort: input.abort,
    succeeded: ({ account, startedAtMs, firstOutputMs }) =>
      scheduler.succeeded(account, { startedAtMs, firstOutputMs, model: turn.plan.slug }),
  })
  return { status: 200, headers: replyHeaders(turn, input.early?.headers, parts.exposeCodexHeaders()), body }
}
