/** The one state machine behind the Ollama stream and its folded answer, so that the two cannot disagree. */

import { assertNever } from "#core/assert-never.ts"
import type { EmitEvent, FinishReason, StreamEvent, Usage } from "#core/events.ts"
import { type JsonText, jsonTextOf, readJsonText } from "#core/json.ts"
import { type ArgumentLog, brokenArguments, makeArgumentLog } from "#protocols/argument-log.ts"
import { makeInSequence } from "#protocols/in-sequence.ts"
import type { ReplyContext } from "#protocols/protocol.ts"
import { makeVisibleText, type VisibleText } from "#protocols/visible-text.ts"

import { makeStopwatch, type Stopwatch } from "./metrics.ts"
import type { OllamaDoneReason, OllamaSink } from "./sink.ts"

type ToolStart = Extract<StreamEvent, { type: "tool-start" }>

type State = {
  readonly context: ReplyContext
  readonly sink: OllamaSink
  readonly text: VisibleText
  readonly stopwatch: Stopwatch
  readonly callIds: Set<string>
  /** Finished calls as JSON objects: they are sent together, behind all text. */
  readonly calls: string[]
  call: { readonly start: ToolStart; readonly log: ArgumentLog; free: string } | undefined
  /** Set between two thoughts, until the second one says something. */
  needsBreak: boolean
  hasThought: boolean
  ended: boolean
  usage: Usage | undefined
}

const PARAGRAPH = jsonTextOf("\n\n")

/** Returns the function that takes the events of one answer. Throws `upstream-protocol` for calls that cannot be run. */
export function makeOllamaSteps(context: ReplyContext, sink: OllamaSink): EmitEvent {
  const state: State = {
    context,
    sink,
    text: makeVisibleText(context.reply, sink.text),
    stopwatch: makeStopwatch(context.clock, context.startedAtMs),
    callIds: new Set(),
    calls: [],
    call: undefined,
    needsBreak: false,
    hasThought: false,
    ended: false,
    usage: undefined,
  }
  // Clients append the texts in the order they come, so that one block must be whole before the next one begins.
  const take = makeInSequence(event => step(state, event))
  return event => {
    if (!state.ended) take(event)
  }
}

function step(state: State, event: StreamEvent): void {
  switch (event.type) {
    case "text-delta":
    case "refusal-delta":
      if (event.text === '""' || state.text.isStopped()) return
      state.stopwatch.mark()
      state.text.add(event.text)
      return
    case "reasoning-start":
      state.needsBreak = state.hasThought
      return
    case "reasoning-delta":
      onThought(state, event.text)
      return
    case "tool-start":
    case "tool-delta":
    case "tool-end":
      onTool(state, event)
      return
    case "image":
      onImage(state, event)
      return
    case "usage":
      state.usage = event.usage
      return
    case "finish":
      finish(state, event.reason)
      return
    case "error":
      state.ended = true
      state.sink.error(event.error)
      return
    case "response-start":
    case "text-start":
    case "text-end":
    case "reasoning-end":
    case "citation":
    case "image-partial":
    case "native-item":
      return
    default:
      assertNever(event)
  }
}

function onThought(state: State, literal: JsonText): void {
  if (literal === '""' || state.context.reply.thinking !== "shown" || state.text.isStopped()) return
  state.stopwatch.mark()
  if (state.needsBreak) state.sink.thinking(PARAGRAPH)
  state.needsBreak = false
  state.hasThought = true
  state.sink.thinking(literal)
}

type ToolEvent = Extract<StreamEvent, { type: "tool-start" | "tool-delta" | "tool-end" }>

function onTool(state: State, event: ToolEvent): void {
  if (event.type === "tool-start") {
    state.stopwatch.mark()
    state.call = { start: event, log: makeArgumentLog(), free: "" }
    return
  }
  const { call } = state
  if (call === undefined) return
  if (event.type === "tool-delta") {
    if (call.start.kind === "custom") call.free += readJsonText(event.text)
    else call.log.append(event.text)
    return
  }
  state.call = undefined
  if (event.cut === true || state.text.isStopped()) return
  noteCall(state, call.start, call.start.kind === "custom" ? JSON.stringify({ input: call.free }) : objectOf(call.log))
}

/** Never guess at arguments: asking again costs less than a tool that was run with the wrong ones. */
function objectOf(log: ArgumentLog): string {
  const { text, isObject } = log.whole()
  if (isObject) return text
  throw brokenArguments()
}

function noteCall(state: State, start: ToolStart, args: string): void {
  const name = state.context.toolNames.get(start.name) ?? start.name
  let id = start.callId
  for (let count = 2; state.callIds.has(id); count++) id = `${start.callId}_${count}`
  state.callIds.add(id)
  const index = state.calls.length
  state.calls.push(
    `{"id":${JSON.stringify(id)},"function":{"index":${index},"name":${JSON.stringify(name)},"arguments":${oneLine(args)}}}`,
  )
}

/** Line breaks between the members would break the line; inside of strings JSON has none. */
function oneLine(json: string): string {
  return /[\r\n]/.test(json) ? json.replace(/[\r\n]+/g, " ") : json
}

/** The dialect has no place for images that a model made; those who show answers show Markdown. */
function onImage(state: State, { base64, format }: Extract<StreamEvent, { type: "image" }>): void {
  if (state.text.isStopped()) return
  state.stopwatch.mark()
  state.text.flush()
  state.sink.text(jsonTextOf(`\n\n![](data:image/${format};base64,${readJsonText(base64)})\n\n`))
}

function finish(state: State, reason: FinishReason): void {
  const { text, sink, calls, context, stopwatch } = state
  if (!text.isStopped()) text.flush()
  state.ended = true
  const { loads } = context.reply
  if (loads !== undefined) {
    sink.finish({ reason: loads, metrics: "" })
    return
  }
  if (calls.length > 0) sink.calls(calls)
  sink.finish({ reason: doneReason(reason, text.isStopped()), metrics: stopwatch.metrics(state.usage) })
}

function doneReason(reason: FinishReason, isStopped: boolean): OllamaDoneReason {
  if (isStopped) return "stop"
  switch (reason) {
    case "length":
    case "unstated":
      return "length"
    case "stop":
    case "tool-calls":
    case "content-filter":
      return "stop"
    default:
      return assertNever(reason)
  }
}
