/** What a carrier is told of a turn: the lane of its answer, for all attempts and for one. */

import type { Clock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import type { EncodedRequest } from "#protocols/protocol.ts"
import type { Provider } from "#providers/provider.ts"

import type { AttemptLane, Carriage, CarriedAttempt, LaneOrder } from "./carrier.ts"
import { bringsBack, toolNames } from "./commitment.ts"
import { type Answering, replyContextOf } from "./reply-context.ts"
import type { TurnParts } from "./turn-parts.ts"
import type { AttemptInput, Turn } from "./turn-types.ts"

/** Describes the lane; `nowMs` is when the attempt began, or now when there is none yet. */
export function laneOf(turn: Turn, carriage: Carriage, nowMs: number, by?: Answering): LaneOrder {
  const { clock: _, estimateInputTokens, ...context } = replyContextOf(turn, NO_CLOCK, nowMs, by)
  return {
    protocol: turn.call.protocol,
    stream: turn.request.stream,
    context: { ...context, inputTokens: estimateInputTokens() },
    limits: carriage.limits,
    exposesQuota: carriage.exposesQuota,
  }
}

/** Whoever writes the answer has a clock of its own. */
const NO_CLOCK: Clock = () => 0

/** What is known when an attempt begins. */
export type Beginning = {
  readonly input: AttemptInput
  readonly encoded: EncodedRequest
  readonly provider: Provider
  readonly account: AccountId
  readonly startedAtMs: number
}

/** Begins an attempt at the turn's carrier; undefined for a turn without one, and for one that is not answered by a stream. */
export function beginCarried(turn: Turn, beginning: Beginning, parts: TurnParts): CarriedAttempt | undefined {
  const { carriage } = turn
  if (carriage === undefined || turn.kind.endpoint !== "turn") return undefined
  const { input, encoded, provider, account, startedAtMs } = beginning
  const lane: AttemptLane = {
    ...laneOf(turn, carriage, startedAtMs, { account, toolNames: encoded.toolNames }),
    startedAtMs,
    maxFrameBytes: parts.limits().maxFrameBytes,
    declaredTools: toolNames(encoded),
    wants: { opaque: bringsBack(turn), response: turn.call.protocol === "openai-responses" },
    judge: {
      provider: provider.id,
      model: turn.plan.slug,
      attempt: input.attempt,
      refreshed: input.refreshed,
      limitTokens: turn.plan.info?.contextTokens,
    },
  }
  return carriage.carrier.begin(lane)
}
