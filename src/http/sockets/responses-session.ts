/** One client's socket: its turns one after the other, and what they go on from although nothing is stored upstream. */

import type { Clock, Timers } from "#core/clock.ts"
import { GatewayError, toGatewayError } from "#core/errors.ts"
import type { RequestId } from "#core/ids.ts"
import { type JsonObject, objectAt, parseJsonObject, stringAt } from "#core/json.ts"
import type { ClientCall, Principal } from "#core/request.ts"
import type { GatewayAnswer } from "#gateway/answer/answer.ts"
import type { ResponseMemory } from "#gateway/memory/response-memory.ts"

import { makeEventTexts } from "./event-texts.ts"
import { type ClientFrame, errorFrame, readClientFrame, warmUpFrames, withStatus } from "./frames.ts"
import { headersFrame, turnHeadersOf } from "./socket-headers.ts"

/** How long a socket may be used. The backend's own limit, which clients know how to handle. */
export const SOCKET_LIFE_MS = 60 * 60_000

/** The socket below. */
export type Line = {
  readonly send: (text: string) => void
  /** Resolves when the client has read enough of what was sent. Rejects when it is gone. */
  readonly drained: () => Promise<void>
  readonly close: (code: number, reason: string) => void
}

/** What a session needs. */
export type SessionParts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly line: Line
  readonly principal: Principal
  /** Of the handshake. */
  readonly headers: Headers
  readonly newRequestId: () => RequestId
  readonly turn: (call: ClientCall) => Promise<GatewayAnswer>
  /** A memory of this socket alone. */
  readonly memory: ResponseMemory
  /** What is remembered for the client's key. */
  readonly shared: Pick<ResponseMemory, "expand">
}

/** A running session. */
export type ResponsesSession = {
  readonly receive: (text: string) => void
  /** The client is gone. */
  readonly closed: () => void
  /** The gateway stops: closes now, or after the turn that runs. */
  readonly finish: () => void
}

type State = {
  readonly parts: SessionParts
  readonly endsAtMs: number
  running: AbortController | undefined
  isFinishing: boolean
  /** What later frames may leave out. */
  inherited: JsonObject
  lastResponseId: string | undefined
}

/** Starts a session. */
export function startSession(parts: SessionParts): ResponsesSession {
  const state: State = {
    parts,
    endsAtMs: parts.clock() + SOCKET_LIFE_MS,
    running: undefined,
    isFinishing: false,
    inherited: {},
    lastResponseId: undefined,
  }
  const cancelEnd = parts.timers.after(SOCKET_LIFE_MS, () => finish(state))
  return {
    receive: text => receive(state, text),
    closed: () => {
      cancelEnd()
      state.running?.abort()
    },
    finish: () => finish(state),
  }
}

function finish(state: State): void {
  state.isFinishing = true
  if (state.running === undefined) state.parts.line.close(1001, "the gateway closes this socket")
}

function receive(state: State, text: string): void {
  const { line, newRequestId } = state.parts
  const id = newRequestId()
  try {
    const frame = readClientFrame(text)
    if (frame.type === "processed") return
    if (frame.type === "cancel") state.running?.abort()
    else begin(state, frame, id)
  } catch (cause) {
    line.send(errorFrame(toGatewayError(cause), id))
  }
}

type TurnFrame = Exclude<ClientFrame, { type: "cancel" | "processed" }>

function begin(state: State, frame: TurnFrame, id: RequestId): void {
  refuseLate(state)
  if (state.running !== undefined) {
    throw new GatewayError("invalid-request", "A response is still being written; one at a time on a socket.", {
      code: "response_in_progress",
    })
  }
  const call = callOf(state, frame, id)
  if (frame.type === "warm-up") warmUp(state, call)
  else void run(state, call)
}

function refuseLate({ parts, endsAtMs, isFinishing }: State): void {
  if (!isFinishing && parts.clock() < endsAtMs) return
  throw new GatewayError(
    "invalid-request",
    "Responses websocket connection limit reached (60 minutes). Create a new websocket connection to continue.",
    { code: "websocket_connection_limit_reached" },
  )
}

function callOf(state: State, { type, body }: TurnFrame, id: RequestId): ClientCall {
  const { parts, inherited, lastResponseId } = state
  const previous = type === "append" && lastResponseId !== undefined ? { previous_response_id: lastResponseId } : {}
  const json: JsonObject = { ...inherited, ...previous, ...body, stream: true }
  const call: ClientCall = {
    id,
    protocol: "openai-responses",
    json,
    headers: turnHeadersOf(parts.headers, json),
    principal: parts.principal,
    signal: new AbortController().signal,
    startedAtMs: parts.clock(),
  }
  const { model, instructions } = json
  state.inherited = { ...(model !== undefined && { model }), ...(instructions !== undefined && { instructions }) }
  // What this socket does not know may be remembered for the client's key.
  return (knows(state, json) ? parts.memory : parts.shared).expand(call)
}

function knows({ parts }: State, json: JsonObject): boolean {
  const id = stringAt(json, "previous_response_id")
  return id !== undefined && parts.memory.has(parts.principal.keyId, id)
}

/** The upstream is not asked: what counts is that the next turn can go on from here. */
function warmUp(state: State, call: ClientCall): void {
  const { parts } = state
  const id = `resp_warmup_${call.id}`
  const { frames, response } = warmUpFrames(id, stringAt(call.json, "model") ?? "", Math.floor(parts.clock() / 1000))
  for (const frame of frames) parts.line.send(frame)
  remember(state, call, { id, response })
}

function remember(state: State, call: ClientCall, { id, response }: { id: string; response: string }): void {
  state.lastResponseId = id
  state.parts.memory.remember(call, response)
}

async function run(state: State, admitted: ClientCall): Promise<void> {
  const { parts } = state
  const abort = new AbortController()
  state.running = abort
  const call = { ...admitted, signal: abort.signal }
  try {
    await relay(state, call, { answer: await parts.turn(call), ended: () => over(state, abort) })
  } catch (cause) {
    if (!abort.signal.aborted) parts.line.send(errorFrame(toGatewayError(cause), call.id))
  } finally {
    over(state, abort)
  }
}

/** The next turn may begin; a gateway that stops has waited for this. */
function over(state: State, turn: AbortController): void {
  if (state.running !== turn) return
  state.running = undefined
  if (state.isFinishing) finish(state)
}

type Relayed = {
  readonly answer: GatewayAnswer
  /** Called after the last event: the client need not wait for what the gateway has still to do. */
  readonly ended: () => void
}

async function relay(state: State, call: ClientCall, { answer, ended }: Relayed): Promise<void> {
  const { line } = state.parts
  const head = headersFrame(answer.headers)
  if (head !== undefined) line.send(head)
  if (typeof answer.body === "string") {
    line.send(answer.body)
    return
  }
  const texts = makeEventTexts()
  const reader = answer.body.getReader()
  let hasEnded = false
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      for (const text of texts(value)) hasEnded = sendEvent(state, call, text) || hasEnded
      if (hasEnded) ended()
      await line.drained()
    }
  } catch (cause) {
    // A failed answer ends in a reset after its last event; that event has said it all.
    if (!hasEnded) throw cause
  } finally {
    await reader.cancel().catch(() => {})
  }
}

const END = /^\{"type":"(response\.(?:completed|incomplete|failed)|error)"/

/** Returns whether the event was the last one of its answer. */
function sendEvent(state: State, call: ClientCall, text: string): boolean {
  const { line } = state.parts
  const type = END.exec(text)?.[1]
  if (type === undefined) {
    line.send(text)
    return false
  }
  const event = parseJsonObject(text) ?? {}
  const response = objectAt(event, "response")
  const id = stringAt(response ?? {}, "id")
  if (id !== undefined && type !== "response.failed") remember(state, call, { id, response: JSON.stringify(response) })
  line.send(type === "error" ? withStatus(event) : text)
  return true
}
