/** The calls that ask a model: turns, compactions, pictures and searches, each run once and settled once. */

import type { GatewayError } from "#core/errors.ts"
import type { ClientCall } from "#core/request.ts"
import type { GatewayAnswer } from "#gateway/answer/answer.ts"
import type { TokenCounter } from "#gateway/tokens/token-counter.ts"

import { type CompactMode, makeCompact } from "./compact.ts"
import { countCallTokens } from "./count-tokens.ts"
import { makeImages } from "./images.ts"
import { type Run, runSettled } from "./run-settled.ts"
import { makeRunningTurns } from "./running-turns.ts"
import { serveTurn } from "./serve-turn.ts"
import type { ServeTurnParts } from "./serve-turn-parts.ts"
import { ordinaryTurn, SEARCH } from "./turn-kinds.ts"

/** The calls. They reject with the `GatewayError` the client gets. */
export type ModelCalls = {
  /** With a carrier the answer is served there, and what resolves says nothing. */
  readonly turn: (call: ClientCall, carrier?: Run["carrier"]) => Promise<GatewayAnswer>
  readonly compact: (call: ClientCall) => Promise<GatewayAnswer>
  readonly images: (call: ClientCall) => Promise<GatewayAnswer>
  readonly search: (call: ClientCall) => Promise<GatewayAnswer>
  /** Counts the tokens a turn would cost; asks no upstream. */
  readonly countTokens: (call: ClientCall) => Promise<number>
  /** Ends every answer under way; used when the gateway stops. */
  readonly abortRunning: (reason: GatewayError) => void
}

/** Makes the calls. */
export function makeModelCalls(
  serving: ServeTurnParts,
  tokens: TokenCounter,
  compactMode: () => CompactMode,
): ModelCalls {
  const running = makeRunningTurns()
  const { memory } = serving.turn
  const expand = (call: ClientCall) => (call.protocol === "openai-responses" ? memory.expand(call) : call)
  const ordinary = ordinaryTurn(serving.turn.upstream.encodeRequest)
  const compact = makeCompact({
    clock: serving.turn.clock,
    mode: compactMode,
    serve: (call, kind, run) => serveTurn(call, kind, run, serving),
  })
  return {
    turn: (call, carrier) =>
      runSettled(call, { running, serving }, run => serveTurn(expand(call), ordinary, { ...run, carrier }, serving)),
    compact: call => runSettled(call, { running, serving }, run => compact(call, run)),
    images: makeImages(serving.turn.upstream.encodeRequest, serving.images, (call, kind) =>
      runSettled(call, { running, serving }, run => serveTurn(call, kind, run, serving)),
    ),
    search: call => runSettled(call, { running, serving }, run => serveTurn(call, SEARCH, run, serving)),
    countTokens: call =>
      countCallTokens(expand(call), { planModel: serving.planModel, upstream: serving.turn.upstream, tokens }),
    abortRunning: running.abortAll,
  }
}
