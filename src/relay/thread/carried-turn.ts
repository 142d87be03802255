/** From the owner's description of a lane to the values that the answering functions work with. */

import type { Clock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import type { AttemptLane, CarriedNote, LaneOrder } from "#gateway/turn/carrier.ts"
import type { HeldHead } from "#gateway/turn/hold.ts"
import type { CommittedTurn } from "#gateway/turn/turn-types.ts"
import { withKnownWindow } from "#gateway/turn/with-window.ts"
import type { AnswerParts, ReplyContext } from "#protocols/protocol.ts"
import { failureReaders } from "#providers/registry.ts"

/** What such a turn is made of. */
export type CarriedTurnParts = {
  readonly clock: Clock
  readonly abort: AbortController
  /** Told what concerns more than the client. */
  readonly note: (note: CarriedNote) => void
}

/** The context of an answer. */
export function contextOf({ context: { inputTokens, ...context } }: LaneOrder, clock: Clock): ReplyContext {
  return { ...context, clock, estimateInputTokens: () => inputTokens }
}

/** The turn whose answer is served here. Its account is the owner's affair, and so is its lease. */
export function carriedTurn(
  lane: AttemptLane,
  { head, headers }: { readonly head: HeldHead; readonly headers: Headers },
  parts: CarriedTurnParts,
): CommittedTurn {
  const { clock, abort } = parts
  return {
    lease: { account: NOBODY, acquiredAtMs: lane.startedAtMs, release: () => {} },
    account: NOBODY,
    reader: head.reader,
    chunks: head.chunks,
    headers,
    context: contextOf(lane, clock),
    startedAtMs: lane.startedAtMs,
    firstOutputMs: clock() - lane.startedAtMs,
    abort: reason => abort.abort(reason),
    answer: answerParts(lane, parts),
  }
}

// The lanes hand it to nobody here.
const NOBODY = "" as AccountId

function answerParts(lane: AttemptLane, { clock, note }: CarriedTurnParts): AnswerParts {
  const { declaredTools, maxFrameBytes, wants, judge, context } = lane
  const { limitTokens, provider, ...asked } = judge
  return {
    declaredTools,
    maxFrameBytes,
    noteAside: event => note({ type: "aside", event }),
    ...(wants.opaque && { noteOpaque: text => note({ type: "opaque", text }) }),
    ...(wants.response && { noteResponse: text => note({ type: "response", text }) }),
    readFailure: failure => {
      note({ type: "failure", failure })
      const verdict = failureReaders[provider](failure, { nowMs: clock(), ...asked })
      return withKnownWindow(verdict, { inputTokens: () => context.inputTokens, limitTokens }).error
    },
  }
}
