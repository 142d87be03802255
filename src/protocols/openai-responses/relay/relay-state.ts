/** What a relay knows of the answer that passes through it. */

import type { GatewayError } from "#core/errors.ts"
import type { Usage } from "#core/events.ts"
import { type JsonObject, stringAt } from "#core/json.ts"
import type { UpstreamFailure } from "#core/upstream.ts"
import { startOf } from "#protocols/openai-responses/read-response.ts"
import { readUsage } from "#protocols/openai-responses/read-usage.ts"
import type { AnswerParts, AnswerState, ReplyContext } from "#protocols/protocol.ts"

import { type CollectedItems, makeCollectedItems } from "./collected-items.ts"
import type { RelayOutput } from "./relay-output.ts"
import type { ResponseIdentity } from "./terminal-response.ts"

/** What the handlers work on; they all live in this folder. */
export type RelayState = {
  readonly context: ReplyContext
  readonly output: RelayOutput
  readonly readFailure: (failure: UpstreamFailure) => GatewayError
  readonly noteOpaque: AnswerParts["noteOpaque"] | undefined
  readonly noteAside: AnswerParts["noteAside"] | undefined
  readonly noteResponse: AnswerParts["noteResponse"] | undefined
  readonly items: CollectedItems
  /** Ids under which items were announced, by output index. */
  readonly itemIds: Map<number, string>
  /** Announced items of which no later event has been read: only it can tell whether the upstream keeps its ids. */
  readonly unconfirmed: Set<number>
  /** The upstream's ids contradict each other; from then on every event is read. */
  editsIds: boolean
  /** Fixed by the first event that names the answer. */
  identity: ResponseIdentity | undefined
  upstreamModel: string | undefined
  /** `response.created` has been sent. */
  created: boolean
  finished: boolean
  /** How the frames begin that may pass unread; "" = none. */
  unreadPrefix: string
  /** The completed terminal response, JSON text. */
  response: string | undefined
  error: GatewayError | undefined
  usage: Usage | undefined
  serviceTier: string | undefined
}

/** Parts of one relay. */
export type RelayEventParts = Pick<
  RelayState,
  "context" | "output" | "readFailure" | "noteOpaque" | "noteAside" | "noteResponse"
>

/** The state before the first event. */
export function makeRelayState(parts: RelayEventParts): RelayState {
  return {
    ...parts,
    items: makeCollectedItems(),
    itemIds: new Map(),
    unconfirmed: new Set(),
    editsIds: false,
    identity: undefined,
    upstreamModel: undefined,
    created: false,
    finished: false,
    unreadPrefix: "",
    response: undefined,
    error: undefined,
    usage: undefined,
    serviceTier: undefined,
  }
}

/** What the gateway may ask at any time. */
export function answerStateOf(state: RelayState): AnswerState {
  const { finished, error, usage, upstreamModel, serviceTier } = state
  return {
    finished,
    ...(error !== undefined && { error }),
    ...(usage !== undefined && { usage }),
    ...(upstreamModel !== undefined && { upstreamModel }),
    ...(serviceTier !== undefined && { serviceTier }),
  }
}

/** Returns the answer's one identity, fixing it by `response` when this is the first event that names it. */
export function identify(state: RelayState, response: JsonObject): ResponseIdentity {
  const { id, model, createdAtSec } = startOf(response)
  if (model !== "") state.upstreamModel = model
  if (state.identity !== undefined) return state.identity
  const { context } = state
  state.identity = {
    id: id === "" ? `resp_${context.requestId}` : id,
    model: model === "" ? context.model : model,
    createdAtSec: createdAtSec === 0 ? context.nowSec : createdAtSec,
  }
  return state.identity
}

/** Notes what the terminal response says about cost. */
export function noteTerminal(state: RelayState, response: JsonObject): void {
  state.usage = readUsage(response)
  state.serviceTier = stringAt(response, "service_tier")
}
