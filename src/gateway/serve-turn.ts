/** One model call from admission to answer: decode, plan, try accounts, and open the lane the client asked for. */

import type { Clock, Timers } from "#core/clock.ts"
import { toGatewayError } from "#core/errors.ts"
import type { Lane, Outcome } from "#core/outcome.ts"
import type { ClientCall, ModelRequest } from "#core/request.ts"
import { conversationKey, conversationSeed } from "#protocols/conversation-seed.ts"
import type { Collector, ReplyContext, StreamPipe } from "#protocols/protocol.ts"
import { clientProtocols } from "#protocols/registry.ts"

import type { GatewayAnswer } from "./answer.ts"
import { collectAnswer } from "./collect-answer.ts"
import type { Heartbeat } from "./heartbeat.ts"
import { openCollector, openFailurePipe, openPipe } from "./lanes.ts"
import type { ModelPlan } from "./models/plan-model.ts"
import { replyContextOf } from "./reply-context.ts"
import { replyHeaders } from "./reply-headers.ts"
import { makeSettler, type Settler } from "./settle.ts"
import { makeAnswerStream, type StreamLimits } from "./stream-answer.ts"
import { runTurn } from "./turn.ts"
import type { CommittedTurn, Turn, TurnKind, TurnParts } from "./turn-parts.ts"
import { makeVerbatimCollector } from "./verbatim-collector.ts"

/** What serving a turn needs besides the turn's own parts. */
export type ServeTurnParts = {
  readonly turn: TurnParts
  readonly clock: Clock
  readonly timers: Timers
  readonly heartbeat: Heartbeat
  readonly planModel: (request: ModelRequest) => ModelPlan
  readonly streamLimits: () => StreamLimits
  readonly exposeCodexHeaders: () => boolean
  readonly record: (outcome: Outcome) => void
}

/**
 * How long a streaming client waits for headers. After that they go out with a 200 and keep-alives follow: clients with
 * a short header timeout would give up on a model that thinks, and a failure can still be said inside the stream.
 */
const HEADERS_LATEST_MS = 15_000

/** Serves one call. Rejects with the `GatewayError` the client gets; the request is settled by then. */
export async function serveTurn(call: ClientCall, kind: TurnKind, parts: ServeTurnParts): Promise<GatewayAnswer> {
  const settler = makeSettler(call, { clock: parts.clock, record: parts.record })
  try {
    return await openAnswer(prepareTurn(call, kind, settler, parts), parts)
  } catch (cause) {
    const error = toGatewayError(cause)
    settler.end({ status: error.status, error })
    throw error
  }
}

function prepareTurn(call: ClientCall, kind: TurnKind, settler: Settler, parts: ServeTurnParts): Turn {
  const request = clientProtocols[call.protocol].decodeRequest(call)
  settler.lane(laneOf(request), request.model)
  const plan = parts.planModel(request)
  settler.planned(plan.slug)
  parts.turn.budget.request()
  return {
    call,
    request,
    plan,
    conversation: conversationKey(conversationSeed(request), call.principal.keyId),
    settler,
    kind,
  }
}

/** The relay lane needs the client to speak the upstream's dialect; there is one upstream dialect so far. */
function laneOf(request: ModelRequest): Lane {
  if (!request.stream) return "collect"
  return request.protocol === "openai-responses" ? "relay" : "transcode"
}

async function openAnswer(turn: Turn, parts: ServeTurnParts): Promise<GatewayAnswer> {
  const abort = new AbortController()
  linkAbort(turn.call.signal, abort)
  const committed = runTurn(turn, abort, parts.turn)
  if (!turn.request.stream) return answerOnce(turn, await committed, abort, parts)
  const early = await settledWithin(committed, HEADERS_LATEST_MS, parts.timers)
  const body = makeAnswerStream({
    clock: parts.clock,
    timers: parts.timers,
    heartbeat: parts.heartbeat,
    limits: parts.streamLimits(),
    settler: turn.settler,
    committed,
    openPipe: done => pipeFor(turn, done),
    openFailurePipe: () => openFailurePipe(turn.call.protocol, contextBefore(turn, parts)),
    abort,
    succeeded: done => noteSuccess(turn, done, parts),
  })
  return { status: 200, headers: replyHeaders(turn, early?.headers, parts.exposeCodexHeaders()), body }
}

async function answerOnce(
  turn: Turn,
  committed: CommittedTurn,
  abort: AbortController,
  parts: ServeTurnParts,
): Promise<GatewayAnswer> {
  try {
    const collector = collectorFor(turn, committed)
    const body = await collectAnswer(committed, collector, {
      clock: parts.clock,
      timers: parts.timers,
      heartbeat: parts.heartbeat,
      idleTimeoutMs: parts.streamLimits().idleTimeoutMs,
      abort,
    })
    noteSuccess(turn, committed, parts)
    turn.settler.firstByte()
    const { usage } = collector.state()
    turn.settler.end({ status: 200, ...(usage !== undefined && { usage }) })
    const headers = replyHeaders(turn, committed.headers, parts.exposeCodexHeaders())
    return { status: 200, headers: { ...headers, "content-type": "application/json" }, body }
  } catch (cause) {
    const error = toGatewayError(cause)
    committed.abort(error)
    throw error
  } finally {
    committed.lease.release()
  }
}

function noteSuccess(turn: Turn, committed: CommittedTurn, parts: ServeTurnParts): void {
  parts.turn.scheduler.succeeded(committed.account, { startedAtMs: committed.startedAtMs, model: turn.plan.slug })
}

function pipeFor(turn: Turn, committed: CommittedTurn): StreamPipe {
  return openPipe(turn.call.protocol, committed.context, committed.readFailure)
}

function collectorFor(turn: Turn, committed: CommittedTurn): Collector {
  if (turn.kind.endpoint === "compact") return makeVerbatimCollector()
  return openCollector(turn.call.protocol, committed.context, committed.readFailure)
}

function contextBefore(turn: Turn, parts: ServeTurnParts): ReplyContext {
  return replyContextOf(turn, new Map(), parts.clock())
}

/** The client's departure ends the upstream request; the reason tells it apart from our own deadlines. */
function linkAbort(client: AbortSignal, abort: AbortController): void {
  if (client.aborted) abort.abort()
  else client.addEventListener("abort", () => abort.abort(), { once: true })
}

/** Resolves with the value when it is there in time, with undefined when it is late; rejects when it fails in time. */
async function settledWithin<Value>(
  pending: Promise<Value>,
  withinMs: number,
  timers: Timers,
): Promise<Value | undefined> {
  let cancelTimer = () => {}
  const late = new Promise<undefined>(resolve => {
    cancelTimer = timers.after(withinMs, () => resolve(undefined))
  })
  try {
    return await Promise.race([pending, late])
  } finally {
    cancelTimer()
  }
}
