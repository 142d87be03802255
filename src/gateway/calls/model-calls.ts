/** The calls that ask a model: turns, compactions and searches, each run once and settled once. */

import type { GatewayError } from "#core/errors.ts"
import type { ClientCall } from "#core/request.ts"
import type { GatewayAnswer } from "#gateway/answer/answer.ts"
import type { TokenCounter } from "#gateway/tokens/token-counter.ts"
import type { TurnKind } from "#gateway/turn/turn-types.ts"
import { decodeSearchRequest, encodeSearchRequest } from "#protocols/openai-responses/search-request.ts"

import { type CompactMode, makeCompact } from "./compact.ts"
import { countCallTokens } from "./count-tokens.ts"
import { runSettled } from "./run-settled.ts"
import { makeRunningTurns } from "./running-turns.ts"
import { serveTurn } from "./serve-turn.ts"
import type { ServeTurnParts } from "./serve-turn-parts.ts"

/** The calls. They reject with the `GatewayError` the client gets. */
export type ModelCalls = {
  readonly turn: (call: ClientCall) => Promise<GatewayAnswer>
  readonly compact: (call: ClientCall) => Promise<GatewayAnswer>
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
  const ordinary: TurnKind = { endpoint: "turn", encode: serving.turn.upstream.encodeRequest }
  const search: TurnKind = { endpoint: "search", decode: decodeSearchRequest, encode: encodeSearchRequest }
  const compact = makeCompact({
    clock: serving.turn.clock,
    mode: compactMode,
    serve: (call, kind, run) => serveTurn(call, kind, run, serving),
  })
  return {
    turn: call => runSettled(call, { running, serving }, run => serveTurn(call, ordinary, run, serving)),
    compact: call => runSettled(call, { running, serving }, run => compact(call, run)),
    search: call => runSettled(call, { running, serving }, run => serveTurn(call, search, run, serving)),
    countTokens: call =>
      countCallTokens(call, { planModel: serving.planModel, upstream: serving.turn.upstream, tokens }),
    abortRunning: running.abortAll,
  }
}
