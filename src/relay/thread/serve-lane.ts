/** Serves an answer in the lane that the owner has described: the same pipes, on this thread. */

import type { Clock, Timers } from "#core/clock.ts"
import { toGatewayError } from "#core/errors.ts"
import { collectAnswer } from "#gateway/answer/collect-answer.ts"
import { usageOf } from "#gateway/answer/estimate-usage.ts"
import type { Heartbeat } from "#gateway/answer/heartbeat.ts"
import { openCollector, openFailurePipe, openPipe } from "#gateway/answer/lanes.ts"
import { makeAnswerStream } from "#gateway/answer/stream-answer.ts"
import type { LaneOrder } from "#gateway/turn/carrier.ts"
import type { RequestEnd } from "#gateway/turn/settle.ts"
import type { CommittedTurn } from "#gateway/turn/turn-types.ts"

import { failedResponse, type Lane, laneResponse } from "./carried-response.ts"
import { contextOf } from "./carried-turn.ts"

/** What serving needs. */
export type ServeLaneParts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly heartbeat: Heartbeat
  /** Ends the upstream request. */
  readonly abort: AbortController
  /** Called once, with how the answer ended. */
  readonly end: (end: RequestEnd) => void
}

const nothing = () => {}

/** Opens the stream of an answer; `isGreeting`: its headers go out before there is one. */
export function openStream(
  lane: LaneOrder,
  committed: Promise<CommittedTurn>,
  parts: ServeLaneParts & { readonly isGreeting: boolean },
): ReadableStream<Uint8Array> {
  const { protocol } = lane
  const openSilentPipe = () => openFailurePipe(protocol, contextOf(lane, parts.clock))
  return makeAnswerStream({
    ...parts,
    limits: lane.limits,
    // What is written down about the request is the owner's affair, its end apart.
    settler: {
      end: parts.end,
      firstByte: nothing,
      lane: nothing,
      planned: nothing,
      dispatched: nothing,
      failed: nothing,
      explained: nothing,
    },
    committed,
    headersFirst: parts.isGreeting,
    openPipe: ({ context, answer }) => openPipe(protocol, context, answer),
    openFailurePipe: openSilentPipe,
    waiting: openSilentPipe().keepAlive,
    succeeded: nothing,
  })
}

/** Collects a whole answer; a failure becomes an answer in the client's words. Never rejects. */
export async function collectLane(order: Lane, turn: CommittedTurn, parts: ServeLaneParts): Promise<Response> {
  const { lane } = order
  let heardBytes = 0
  try {
    const collector = openCollector(lane.protocol, turn.context, turn.answer)
    const body = await collectAnswer(turn, collector, {
      ...parts,
      idleTimeoutMs: lane.limits.idleTimeoutMs,
      heard: bytes => {
        heardBytes += bytes
      },
    })
    parts.end({ status: 200, ...usageOf(collector.state().usage, turn, heardBytes) })
    return laneResponse(order, body, turn.headers)
  } catch (cause) {
    const error = toGatewayError(cause)
    parts.end({ status: error.status, error, ...usageOf(undefined, turn, heardBytes) })
    turn.abort(error)
    return failedResponse(order, error)
  }
}
