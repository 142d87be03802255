/** Turns the bytes of a Responses event stream into neutral events. */

import type { StreamEvent } from "#core/events.ts"
import { type JsonObject, jsonTextOf, numberAt, objectAt, stringAt } from "#core/json.ts"
import type { UpstreamFailure } from "#core/upstream.ts"
import type { DecoderParts, StreamDecoder } from "#protocols/protocol.ts"
import { memberText } from "#wire/json-scan.ts"

import { DELTA_CHANNELS, type Delta, type DeltaReader, makeDeltaReader } from "./decode/hot-events.ts"
import { finishReasonOf, makeOutputItems, type OutputItems } from "./decode/output-items.ts"
import { makeEventReader } from "./event-reader.ts"
import { type ParsedEvent, parseFrame } from "./parse-event.ts"
import { HTML_BODY, readFailureBody, readFailureEvent, STREAM_BREAK } from "./read-failure.ts"
import { isLifecycle, isPrivate, startOf, type TerminalKind, terminalKindOf } from "./read-response.ts"
import { readUsage } from "./read-usage.ts"

type State = {
  readonly parts: DecoderParts
  readonly deltas: DeltaReader
  started: boolean
  finished: boolean
  calledTools: boolean
}

/** Makes a decoder for one answer. Emits nothing after `finish` or `error`. */
export function makeResponsesDecoder(parts: DecoderParts): StreamDecoder {
  return makeDecoderReading(parts, makeDeltaReader())
}

/**
 * The same with another reader of deltas. A reader that finds none makes every event go through `JSON.parse`, which
 * must give the same answer.
 */
export function makeDecoderReading(parts: DecoderParts, deltas: DeltaReader): StreamDecoder {
  const state: State = { parts, deltas, started: false, finished: false, calledTools: false }
  let blocks = 0
  const items = makeOutputItems({
    emit: event => {
      if (event.type === "tool-start") state.calledTools = true
      emit(state, event)
    },
    nextBlock: () => blocks++,
    declaresTool: name => parts.declaredTools?.has(name),
    noteOpaque: parts.noteOpaque,
  })
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })
  const reader = makeEventReader({
    ...(parts.maxFrameBytes !== undefined && { maxFrameBytes: parts.maxFrameBytes }),
    onFrame: (text, start, end, dataAt) => {
      if (state.finished) return
      const delta = dataAt === -1 ? undefined : deltas.read({ text, start, end, dataAt })
      if (delta !== undefined) onDelta(state, items, delta)
      else onEvent(state, items, parseFrame(text.slice(start, end), dataAt - start))
    },
    skipAhead: (text, start) => {
      const delta = state.finished ? undefined : deltas.readLike(text, start)
      if (delta === undefined) return start
      onDelta(state, items, delta)
      return deltas.next()
    },
    onBody: (kind, body) => fail(state, kind === "html" ? HTML_BODY : readFailureBody(body)),
  })
  return {
    feed: chunk => {
      if (!state.finished) reader.push(utf8.decode(chunk, { stream: true }))
    },
    end: () => {
      if (state.finished) return
      reader.end()
      if (!state.finished) fail(state, STREAM_BREAK)
    },
  }
}

function emit(state: State, event: StreamEvent): void {
  if (!state.started) start(state, {})
  state.parts.emit(event)
}

function start(state: State, response: JsonObject): void {
  if (state.started) return
  state.started = true
  state.parts.emit(startOf(response))
}

function onDelta(state: State, items: OutputItems, delta: Delta): void {
  if (!state.started) start(state, {})
  items.delta(delta)
}

function onEvent(state: State, items: OutputItems, parsed: ParsedEvent | undefined): void {
  if (parsed === undefined) return
  const { type, json: event, data } = parsed
  const delta = readParsedDelta(type, event)
  if (delta !== undefined) {
    onDelta(state, items, delta)
    return
  }
  const response = objectAt(event, "response")
  const terminal = terminalKindOf(type, response === undefined ? undefined : stringAt(response, "status"))
  if (terminal !== undefined) onTerminal(state, items, { kind: terminal, event, response: response ?? {} })
  else if (isLifecycle(type)) start(state, response ?? {})
  else if (isPrivate(type)) state.parts.noteAside?.(event)
  else items.event(type, event, () => memberText(data, "item") ?? JSON.stringify(event["item"]))
}

/** The same delta as {@link makeDeltaReader} reads, from an event that had to be parsed. */
function readParsedDelta(type: string, event: JsonObject): Delta | undefined {
  const channel = DELTA_CHANNELS.get(type)
  const text = stringAt(event, "delta")
  if (channel === undefined || text === undefined) return undefined
  const outputIndex = numberAt(event, "output_index") ?? -1
  const part = numberAt(event, channel === "summary" ? "summary_index" : "content_index") ?? 0
  return { target: { channel, outputIndex, part, itemId: stringAt(event, "item_id") }, literal: jsonTextOf(text) }
}

type Terminal = { readonly kind: TerminalKind; readonly event: JsonObject; readonly response: JsonObject }

function onTerminal(state: State, items: OutputItems, { kind, event, response }: Terminal): void {
  start(state, response)
  if (kind === "failed") {
    fail(state, readFailureEvent(event))
    return
  }
  const whole = kind === "completed"
  items.settle(response, whole)
  const usage = readUsage(response)
  const imageUsage = objectAt(objectAt(response, "tool_usage") ?? {}, "image_gen")
  if (usage !== undefined) emit(state, { type: "usage", usage, ...(imageUsage !== undefined && { imageUsage }) })
  const serviceTier = stringAt(response, "service_tier")
  const reason = finishReasonOf(response, whole, state.calledTools)
  state.finished = true
  emit(state, { type: "finish", reason, ...(serviceTier !== undefined && { serviceTier }) })
}

function fail(state: State, failure: UpstreamFailure): void {
  if (state.finished) return
  state.finished = true
  emit(state, { type: "error", error: state.parts.readFailure(failure) })
}
