/** What a relay does with each kind of event that it has to read. */

import type { GatewayError } from "#core/errors.ts"
import { type JsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"
import { DELTA_CHANNELS } from "#protocols/openai-responses/decode/hot-events.ts"
import { parseEvent } from "#protocols/openai-responses/parse-event.ts"
import { isLifecycle, isPrivate, terminalKindOf } from "#protocols/openai-responses/read-response.ts"
import type { AnswerState } from "#protocols/protocol.ts"
import { byteTextOfUtf8, utf8OfByteText } from "#wire/bytes.ts"
import { memberText, withMembers } from "#wire/json-scan.ts"
import { readSseFrame } from "#wire/sse-splitter.ts"
import { SSE_KEEP_ALIVE_COMMENT } from "#wire/sse-writer.ts"

import { repairItem } from "./final-item.ts"
import { endWithFailure, endWithResponse, ensureCreated } from "./relay-end.ts"
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

/** An event that was read; `data` is byte text on one line. */
type ReadEvent = { readonly frame: RelayFrame; readonly type: string; readonly data: string; readonly json: JsonObject }

function readFrame(state: RelayState, frame: RelayFrame): void {
  const { text, start, end, dataAt } = frame
  // Line breaks between data lines are blanks to JSON.
  const fields = dataAt === -1 ? readSseFrame(text.slice(start, end)) : undefined
  const data = fields?.data.replaceAll("\n", " ") ?? text.slice(dataAt, end)
  if (data === "") {
    if (text.startsWith(":", start)) state.output.raw(SSE_KEEP_ALIVE_COMMENT)
    return
  }
  // Frames that are no JSON object end here: `[DONE]` of intermediaries, and cut or broken events.
  const json = parseEvent(utf8OfByteText(data))
  const type = json === undefined ? undefined : (stringAt(json, "type") ?? fields?.event ?? eventName(frame))
  if (json !== undefined && type) onEvent(state, { frame, type, data, json })
}

function eventName({ text, start, end }: RelayFrame): string {
  return readSseFrame(text.slice(start, end)).event
}

function onEvent(state: RelayState, event: ReadEvent): void {
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
function onLifecycle(state: RelayState, event: ReadEvent, response: JsonObject): void {
  const identity = identify(state, response)
  if (event.type === "response.created") state.created = true
  if (!state.created) return
  const changes = identityChanges(response, identity)
  const text = changes.size === 0 ? undefined : memberText(event.data, "response")
  const changed = withMembers(text ?? "{}", changes) ?? "{}"
  const data = changes.size === 0 ? event.data : withMembers(event.data, new Map([["response", changed]]))
  forward(state, event, data ?? event.data)
}

function onPrivate(state: RelayState, event: ReadEvent): void {
  // Strict clients refuse unknown event types; Codex reads its quota and turn state from these.
  if (state.context.reply.codexClient) forward(state, event, event.data)
}

function onKeepAlive(state: RelayState, event: ReadEvent): void {
  if (state.created) forward(state, event, event.data)
  else state.output.raw(SSE_KEEP_ALIVE_COMMENT)
}

function onOutput(state: RelayState, event: ReadEvent): void {
  ensureCreated(state)
  switch (event.type) {
    case "response.output_item.added":
      forward(state, event, renameIn(state, event))
      return
    case "response.output_item.done":
      onItemDone(state, event)
      return
    case "response.function_call_arguments.done":
      forward(state, event, renameTopLevel(state, event))
      return
    case "response.output_text.delta":
      // Until the finished message has come, its deltas are all there is of it.
      state.output.keepCopy(true)
      forward(state, event, event.data)
      learnPrefix(state, event)
      return
    default:
      forward(state, event, event.data)
      learnPrefix(state, event)
  }
}

function forward(state: RelayState, { frame, type }: ReadEvent, data: string): void {
  state.output.forward(frame, type, data)
}

/** Deltas never change: from now on frames that begin like this one pass unread. */
function learnPrefix(state: RelayState, { frame, type, data }: ReadEvent): void {
  if (!DELTA_CHANNELS.has(type)) return
  const dataStart = `{"type":"${type}",`
  const prefix = `event: ${type}\ndata: ${dataStart}`
  if (data.startsWith(dataStart) && frame.text.startsWith(prefix, frame.start)) state.unreadPrefix = prefix
}

function onItemDone(state: RelayState, event: ReadEvent): void {
  const item = objectAt(event.json, "item")
  const text = memberText(event.data, "item") ?? byteTextOfUtf8(JSON.stringify(item ?? null))
  if (item === undefined) {
    forward(state, event, event.data)
    return
  }
  const index = numberAt(event.json, "output_index")
  const fallbackId = `item_${state.context.requestId}_${index ?? `n${state.items.count()}`}`
  const repaired = repairItem(text, item, { toolNames: state.context.toolNames, fallbackId })
  state.items.add(index, repaired)
  const data = repaired === text ? event.data : withMembers(event.data, new Map([["item", repaired]]))
  forward(state, event, data ?? event.data)
  if (stringAt(item, "type") !== "message") return
  state.output.keepCopy(false)
  // The next delta has to be read, so that keeping a copy starts again.
  state.unreadPrefix = ""
}

function renameIn(state: RelayState, { data, json }: ReadEvent): string {
  const item = objectAt(json, "item")
  const name = clientName(state, item)
  const text = name === undefined ? undefined : memberText(data, "item")
  const renamed = text === undefined ? undefined : withMembers(text, new Map([["name", name ?? ""]]))
  return renamed === undefined ? data : (withMembers(data, new Map([["item", renamed]])) ?? data)
}

function renameTopLevel(state: RelayState, { data, json }: ReadEvent): string {
  const name = clientName(state, json)
  return name === undefined ? data : (withMembers(data, new Map([["name", name]])) ?? data)
}

/** The literal (byte text) of the client's own name for a tool, when it had to be renamed. */
function clientName(state: RelayState, named: JsonObject | undefined): string | undefined {
  const name = named === undefined ? undefined : stringAt(named, "name")
  const own = name === undefined ? undefined : state.context.toolNames.get(name)
  return own === undefined ? undefined : byteTextOfUtf8(JSON.stringify(own))
}
