/** What a relay does with each kind of event that it has to read. */

import type { GatewayError } from "#core/errors.ts"
import { type JsonObject, objectAt, stringAt } from "#core/json.ts"
import { isLifecycle, isPrivate, terminalKindOf } from "#protocols/openai-responses/read-response.ts"
import type { AnswerState } from "#protocols/protocol.ts"
import { memberText, withMembers } from "#wire/json-scan.ts"
import { SSE_KEEP_ALIVE_COMMENT } from "#wire/sse-writer.ts"

import { endWithFailure, endWithResponse } from "./relay-end.ts"
import { forward, type RelayEvent, readRelayEvent } from "./relay-event.ts"
import { onOutput } from "./relay-items.ts"
import type { RelayFrame } from "./relay-output.ts"
import { answerStateOf, identify, makeRelayState, type RelayEventParts, type RelayState } from "./relay-state.ts"
import { identityChanges } from "./terminal-response.ts"

/** Reads events of one answer and sends what the client is to see. */
export type RelayEvents = {
  readonly read: (frame: RelayFrame) => void
  /** Frames that begin like this may pass unread; "" = none. */
  readonly unreadPrefix: () => string
  /** Ends the answer with a failure of ours. */
  readonly fail: (error: GatewayError) => void
  readonly isCreated: () => boolean
  readonly isFinished: () => boolean
  readonly state: () => AnswerState
  readonly response: () => string | undefined
}

/** Makes the handlers of one answer. */
export function makeRelayEvents(parts: RelayEventParts): RelayEvents {
  const state = makeRelayState(parts)
  return {
    read: frame => readFrame(state, frame),
    unreadPrefix: () => state.unreadPrefix,
    fail: error => endWithFailure(state, error, state.context.reply.codexClient ? "failed" : "error"),
    isCreated: () => state.created,
    isFinished: () => state.finished,
    state: () => answerStateOf(state),
    response: () => state.response,
  }
}

function readFrame(state: RelayState, frame: RelayFrame): void {
  const event = readRelayEvent(frame)
  if (event !== undefined) onEvent(state, event)
  // A comment says that the upstream is alive; only that is handed on.
  else if (frame.text.startsWith(":", frame.start)) state.output.raw(SSE_KEEP_ALIVE_COMMENT)
}

function onEvent(state: RelayState, event: RelayEvent): void {
  const { type, json } = event
  const response = objectAt(json, "response")
  const terminal = terminalKindOf(type, response === undefined ? undefined : stringAt(response, "status"))
  if (terminal !== undefined) endWithResponse(state, { ...event, response: response ?? {}, terminal })
  else if (isLifecycle(type)) onLifecycle(state, event, response ?? {})
  else if (isPrivate(type)) onPrivate(state, event)
  else if (type === "keepalive") onKeepAlive(state, event)
  else onOutput(state, event)
}

/** The official SDK insists on `response.created` first, so nothing else about the answer is said before it. */
function onLifecycle(state: RelayState, event: RelayEvent, response: JsonObject): void {
  const identity = identify(state, response)
  if (event.type === "response.created") state.created = true
  if (!state.created) return
  const changes = identityChanges(response, identity)
  const text = changes.size === 0 ? undefined : memberText(event.data, "response")
  const changed = withMembers(text ?? "{}", changes) ?? "{}"
  const data = changes.size === 0 ? event.data : withMembers(event.data, new Map([["response", changed]]))
  forward(state, event, data ?? event.data)
}

function onPrivate(state: RelayState, event: RelayEvent): void {
  state.noteAside?.(event.json)
  // Strict clients refuse unknown event types; Codex reads its quota and turn state from these.
  if (state.context.reply.codexClient) forward(state, event, event.data)
}

function onKeepAlive(state: RelayState, event: RelayEvent): void {
  if (state.created) forward(state, event, event.data)
  else state.output.raw(SSE_KEEP_ALIVE_COMMENT)
}
