/** The answer of a request that wants none: an empty one, without an account and without an upstream. */

import type { Clock } from "#core/clock.ts"
import type { StreamEvent } from "#core/events.ts"
import { replyContextOf } from "#gateway/turn/reply-context.ts"
import type { Turn } from "#gateway/turn/turn-types.ts"

import type { GatewayAnswer } from "./answer.ts"
import { encodingOf } from "./lanes.ts"
import { replyHeaders } from "./reply-headers.ts"

/** Answers with no content and the estimated size of the input, and settles. */
export function answerNothing(turn: Turn, clock: Clock): GatewayAnswer {
  const context = replyContextOf(turn, clock, clock())
  const usage = {
    inputTokens: context.estimateInputTokens(),
    inputCachedTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
  }
  const events: readonly StreamEvent[] = [
    { type: "response-start", id: "", model: turn.plan.slug, createdAtSec: context.nowSec },
    { type: "usage", usage },
    { type: "finish", reason: "length" },
  ]
  const { makeEncoder, makeFolder } = encodingOf(turn.call.protocol)
  turn.settler.firstByte()
  turn.settler.end({ status: 200 })
  const headers = replyHeaders(turn, undefined, false)
  if (turn.request.stream) {
    const encoder = makeEncoder(context)
    return { status: 200, headers, body: events.map(encoder.encode).join("") }
  }
  const folder = makeFolder(context)
  for (const event of events) folder.add(event)
  return { status: 200, headers: { ...headers, "content-type": "application/json" }, body: folder.finish() }
}
