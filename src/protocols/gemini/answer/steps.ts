/** The one state machine behind the Gemini stream and its folded answer, so that the two cannot disagree. */

import { assertNever } from "#core/assert-never.ts"
import type { EmitEvent, FinishReason, StreamEvent, Usage } from "#core/events.ts"
import { type JsonText, jsonTextOf, readJsonText } from "#core/json.ts"
import { type ArgumentLog, makeArgumentLog } from "#protocols/argument-log.ts"
import { signatureOf } from "#protocols/gemini/signature.ts"
import { makeInSequence } from "#protocols/in-sequence.ts"
import type { ReplyContext } from "#protocols/protocol.ts"
import { makeVisibleText, type VisibleText } from "#protocols/visible-text.ts"

import { type Grounding, makeGrounding } from "./grounding.ts"
import type { GeminiFinishReason, GeminiSink } from "./sink.ts"

type ToolStart = Extract<StreamEvent, { type: "tool-start" }>

type State = {
  readonly context: ReplyContext
  readonly sink: GeminiSink
  readonly grounding: Grounding
  readonly text: VisibleText
  readonly callIds: Set<string>
  call: { readonly start: ToolStart; readonly log: ArgumentLog; free: string } | undefined
  thought: JsonText[]
  /** Signature of reasoning that no part has carried yet. */
  signature: string | undefined
  started: boolean
  ended: boolean
  refused: boolean
  spoke: boolean
  /** Anything at all has come from the model. */
  began: boolean
  malformed: boolean
  usage: Usage | undefined
}

/** Returns the function that takes the events of one answer. Whatever comes after the end is ignored. */
export function makeGeminiSteps(context: ReplyContext, sink: GeminiSink): EmitEvent {
  const state: State = {
    context,
    sink,
    grounding: makeGrounding(),
    text: makeVisibleText(context.reply, literal => sink.text(literal, takeSignature(state))),
    callIds: new Set(),
    call: undefined,
    thought: [],
    signature: undefined,
    started: false,
    ended: false,
    refused: false,
    spoke: false,
    began: false,
    malformed: false,
    usage: undefined,
  }
  // Clients take the parts in the order they come, so that one block must be whole before the next one begins.
  const take = makeInSequence(event => step(state, event))
  return event => {
    if (!state.ended) take(event)
  }
}

function takeSignature(state: State): string | undefined {
  const { signature } = state
  state.signature = undefined
  return signature
}

function step(state: State, event: StreamEvent): void {
  switch (event.type) {
    case "text-delta":
    case "refusal-delta":
      onText(state, event)
      return
    case "response-start":
    case "usage":
    case "finish":
    case "error":
      onLifecycle(state, event)
      return
    case "reasoning-start":
    case "reasoning-delta":
    case "reasoning-end":
      onReasoning(state, event)
      return
    case "tool-start":
    case "tool-delta":
    case "tool-end":
      onTool(state, event)
      return
    case "image":
      if (isSilenced(state)) return
      state.began = true
      state.text.flush()
      state.sink.whole(
        `"inlineData":{"mimeType":${JSON.stringify(`image/${event.format}`)},"data":${event.base64}}`,
        takeSignature(state),
      )
      return
    case "citation":
      state.grounding.cite(event.block, event.citation)
      return
    case "native-item":
      state.grounding.search(event.item)
      return
    case "image-partial":
    case "text-start":
    case "text-end":
      return
    default:
      assertNever(event)
  }
}

function isSilenced({ malformed, text }: State): boolean {
  return malformed || text.isStopped()
}

function onText(state: State, event: Extract<StreamEvent, { type: "text-delta" | "refusal-delta" }>): void {
  if (event.text === '""' || isSilenced(state)) return
  state.began = true
  if (event.type === "refusal-delta") state.refused = true
  else state.spoke = true
  state.grounding.text(event.block, event.text)
  state.text.add(event.text)
}

type ReasoningEvent = Extract<StreamEvent, { type: "reasoning-start" | "reasoning-delta" | "reasoning-end" }>

/** A thought is sent whole: clients look for its heading in a single part. */
function onReasoning(state: State, event: ReasoningEvent): void {
  if (event.type === "reasoning-start") {
    state.thought = []
    // Reasoning that nothing was said after: its signature must not be lost to the one that follows.
    if (state.signature !== undefined) state.sink.whole('"text":""', takeSignature(state))
    return
  }
  if (event.type === "reasoning-delta") {
    state.thought.push(event.text)
    state.began = true
    return
  }
  if (isSilenced(state)) return
  const text = state.thought.map(readJsonText).join("")
  if (text !== "" && state.context.reply.thinking === "shown") {
    state.text.flush()
    state.sink.thought(jsonTextOf(text))
  }
  if (event.seal !== undefined) state.signature = signatureOf(event.seal, state.context.origin)
}

type ToolEvent = Extract<StreamEvent, { type: "tool-start" | "tool-delta" | "tool-end" }>

function onTool(state: State, event: ToolEvent): void {
  if (event.type === "tool-start") {
    state.call = { start: event, log: makeArgumentLog(), free: "" }
    state.began = true
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
  if (isSilenced(state)) return
  const args = call.start.kind === "custom" ? JSON.stringify({ input: call.free }) : objectTextOf(call.log)
  // Never guess at arguments: asking again costs less than a tool that was run with the wrong ones.
  if (args === undefined) state.malformed = event.cut !== true
  else if (event.cut !== true) writeCall(state, call.start, args)
}

function objectTextOf(log: ArgumentLog): string | undefined {
  const { text, isObject } = log.whole()
  return isObject ? text : undefined
}

function writeCall(state: State, start: ToolStart, args: string): void {
  const name = state.context.toolNames.get(start.name) ?? start.name
  let id = start.callId
  for (let count = 2; state.callIds.has(id); count++) id = `${start.callId}_${count}`
  state.callIds.add(id)
  state.text.flush()
  const body = `"functionCall":{"id":${JSON.stringify(id)},"name":${JSON.stringify(name)},"args":${oneLine(args)}}`
  state.sink.whole(body, takeSignature(state))
}

/** Line breaks between the members would break the frame; inside of strings JSON has none. */
function oneLine(json: string): string {
  return /[\r\n]/.test(json) ? json.replace(/[\r\n]+/g, " ") : json
}

type LifecycleEvent = Extract<StreamEvent, { type: "response-start" | "usage" | "finish" | "error" }>

function onLifecycle(state: State, event: LifecycleEvent): void {
  if (event.type === "response-start") {
    if (state.started) return
    state.started = true
    state.sink.start(event.id === "" ? state.context.requestId : event.id)
  } else if (event.type === "usage") state.usage = event.usage
  else if (event.type === "error") {
    state.ended = true
    state.sink.error(event.error)
  } else finish(state, event.reason)
}

function finish(state: State, reason: FinishReason): void {
  if (!state.text.isStopped()) state.text.flush()
  state.ended = true
  state.sink.finish({
    reason: finishWord(state, reason),
    message: state.malformed ? "The model called a function with arguments that are no JSON object." : undefined,
    usage: state.usage,
    isBlocked: reason === "content-filter" && !state.began,
    grounding: state.grounding.whole(),
    signature: takeSignature(state),
  })
}

function finishWord(state: State, reason: FinishReason): GeminiFinishReason {
  if (state.text.isStopped()) return "STOP"
  switch (reason) {
    case "length":
      return "MAX_TOKENS"
    case "content-filter":
      return "SAFETY"
    case "unstated":
      return "OTHER"
    case "stop":
    case "tool-calls":
      if (state.malformed) return "MALFORMED_FUNCTION_CALL"
      return state.refused && !state.spoke ? "SAFETY" : "STOP"
    default:
      return assertNever(reason)
  }
}
