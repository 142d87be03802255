/** The first and the last event of a relayed answer. */

import type { GatewayError } from "#core/errors.ts"
import { arrayAt, type JsonObject } from "#core/json.ts"
import { noteOpaqueItems } from "#protocols/openai-responses/opaque-items.ts"
import { readFailureEvent } from "#protocols/openai-responses/read-failure.ts"
import type { TerminalKind } from "#protocols/openai-responses/read-response.ts"
import { byteTextOfUtf8, utf8OfByteText } from "#wire/bytes.ts"
import { memberText, withMembers } from "#wire/json-scan.ts"

import { type FailureShape, failureEventText, failureEventType } from "./failure-event.ts"
import { recoverMessage } from "./recover-message.ts"
import type { RelayEvent } from "./relay-event.ts"
import { identify, noteTerminal, type RelayState } from "./relay-state.ts"
import { completeResponse } from "./terminal-response.ts"

/** A terminal event with its response object, which may be empty. */
export type TerminalEvent = RelayEvent & { readonly response: JsonObject; readonly terminal: TerminalKind }

/** Sends `response.created` when the upstream left it out. */
export function ensureCreated(state: RelayState): void {
  if (state.created) return
  state.created = true
  const { id, model, createdAtSec } = identify(state, {})
  const response = { id, object: "response", created_at: createdAtSec, status: "in_progress", model, output: [] }
  state.output.synthesise("response.created", sequence =>
    byteTextOfUtf8(JSON.stringify({ type: "response.created", sequence_number: sequence, response })),
  )
}

/** Ends the answer with the upstream's own terminal event. */
export function endWithResponse(state: RelayState, event: TerminalEvent): void {
  identify(state, event.response)
  if (event.terminal === "failed") {
    // An `error` event says nothing to Codex; the other shape is understood by everyone that knows `error`.
    const isFailedEvent = event.type !== "error" || state.context.reply.codexClient
    endWithFailure(state, state.readFailure(readFailureEvent(event.json)), isFailedEvent ? "failed" : "error")
    return
  }
  ensureCreated(state)
  state.finished = true
  noteTerminal(state, event.response)
  noteOpaqueItems(arrayAt(event.response, "output") ?? [], state.noteOpaque)
  const original = memberText(event.data, "response") ?? "{}"
  const completed = completeTerminal(state, event, original)
  state.response = utf8OfByteText(completed)
  state.noteResponse?.(state.response)
  const type = `response.${event.terminal}`
  const changes = new Map<string, string>()
  if (event.json["type"] !== type) changes.set("type", `"${type}"`)
  if (completed !== original) changes.set("response", completed)
  const data = changes.size === 0 ? event.data : withMembers(event.data, changes)
  state.output.forward(event.frame, type, data ?? `{"type":"${type}","response":${completed}}`)
}

function completeTerminal(state: RelayState, event: TerminalEvent, original: string): string {
  const { requestId, toolNames } = state.context
  const status = event.terminal === "incomplete" ? "incomplete" : "completed"
  const fallbackId = `item_${requestId}`
  const sent = state.output.copy()
  const lost = sent === undefined ? undefined : recoverMessage(sent, { fallbackId: `msg_${requestId}`, status })
  if (lost !== undefined) state.items.add(undefined, lost)
  return completeResponse(original, event.response, {
    identity: identify(state, event.response),
    status,
    collected: state.items.listText(),
    prefersCollected: state.editsIds && state.items.count() >= (arrayAt(event.response, "output") ?? []).length,
    repair: { toolNames, fallbackId },
  })
}

/** Ends the answer with a failure. The upstream's words are never sent as they are: the error's message is safe. */
export function endWithFailure(state: RelayState, error: GatewayError, shape: FailureShape): void {
  const { context, output } = state
  if (shape === "failed") ensureCreated(state)
  const identity = identify(state, {})
  state.finished = true
  state.error = error
  const parts = { error, requestId: context.requestId, identity, codexClient: context.reply.codexClient }
  output.synthesise(failureEventType(shape), sequence => byteTextOfUtf8(failureEventText(shape, sequence, parts)))
}
