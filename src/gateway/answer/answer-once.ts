/** The answer of a turn that does not stream. */

import { toGatewayError } from "#core/errors.ts"
import type { ServeTurnParts } from "#gateway/calls/serve-turn-parts.ts"
import type { CommittedTurn, Turn } from "#gateway/turn/turn-types.ts"
import type { Collector } from "#protocols/protocol.ts"

import type { GatewayAnswer } from "./answer.ts"
import { collectAnswer } from "./collect-answer.ts"
import { usageOf } from "./estimate-usage.ts"
import { openCollector } from "./lanes.ts"
import { replyHeaders } from "./reply-headers.ts"
import { makeVerbatimCollector } from "./verbatim-collector.ts"

/** Collects the whole answer and settles. Rejects with the `GatewayError` the client gets. */
export async function answerOnce(
  turn: Turn,
  committed: CommittedTurn,
  abort: AbortController,
  parts: ServeTurnParts,
): Promise<GatewayAnswer> {
  const { turn: bricks } = parts
  let heardBytes = 0
  try {
    const collector = collectorFor(turn, committed)
    const body = await collectAnswer(committed, collector, {
      clock: bricks.clock,
      timers: bricks.timers,
      heartbeat: parts.heartbeat,
      idleTimeoutMs: parts.streamLimits().idleTimeoutMs,
      heard: bytes => {
        heardBytes += bytes
      },
      abort,
    })
    const { account, startedAtMs, firstOutputMs } = committed
    bricks.scheduler.succeeded(account, { startedAtMs, firstOutputMs, model: turn.plan.slug })
    turn.settler.firstByte()
    turn.settler.end({ status: 200, ...usageOf(collector.state().usage, committed, heardBytes) })
    const headers = replyHeaders(turn, committed.headers, parts.exposeCodexHeaders())
    return { status: 200, headers: { ...headers, "content-type": "application/json" }, body }
  } catch (cause) {
    const error = toGatewayError(cause)
    turn.settler.end({ status: error.status, error, ...usageOf(undefined, committed, heardBytes) })
    committed.abort(error)
    throw error
  } finally {
    committed.lease.release()
  }
}

function collectorFor(turn: Turn, committed: CommittedTurn): Collector {
  if (turn.kind.endpoint !== "turn") return makeVerbatimCollector(committed.answer)
  return openCollector(turn.call.protocol, committed.context, committed.answer)
}
