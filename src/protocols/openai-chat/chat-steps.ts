/** The one state machine behind the Chat Completions stream and its folded answer, so that the two cannot disagree. */

import { assertNever } from "#core/assert-never.ts"
import type { GatewayError } from "#core/errors.ts"
import type { FinishReason, StreamEvent, UrlCitation, Usage } from "#core/events.ts"
import { type JsonText, jsonTextOf, readJsonText } from "#core/json.ts"
import type { ReplyContext } from "#protocols/protocol.ts"
import { literalBody, literalOfBody, literalTextLength } from "#wire/json-literal.ts"

/** The three text channels of a message, by their names on the wire. */
export type ChatTextField = "content" | "refusal" | "reasoning_content"

/** How a call is written: the two tool forms and the legacy `function_call`. */
export type ChatCallForm = "function" | "custom" | "legacy"

/** A call as the client sees it. `index` counts from 0 in order of appearance. */
export type ChatCall = {
  readonly index: number
  readonly id: string
  readonly name: string
  readonly form: ChatCallForm
}

/** Why the choice ended, in the dialect's words. */
export type ChatFinishReason = "stop" | "length" | "tool_calls" | "content_filter" | "function_call"

/** The end of a good answer. */
export type ChatFinish = {
  readonly reason: ChatFinishReason
  readonly usage: Usage | undefined
  readonly serviceTier: string | undefined
}

/** The head every chunk and the folded answer share. `created` is in seconds since the epoch. */
export type ChatHead = { readonly id: string; readonly created: number; readonly model: string }

/** What the steps write to; literals are spliced. */
export type ChatSink = {
  readonly start: (head: ChatHead) => void
  /** Once, before any other step but `start` and `error`. */
  readonly open: () => void
  readonly text: (field: ChatTextField, literal: JsonText) => void
  readonly call: (call: ChatCall) => void
  readonly callInput: (call: ChatCall, literal: JsonText) => void
  readonly citation: (citation: UrlCitation) => void
  /** `url` is a data URL. */
  readonly image: (index: number, url: JsonText) => void
  readonly finish: (finish: ChatFinish) => void
  readonly error: (error: GatewayError) => void
}

const BLANK_LINE = jsonTextOf("\n\n")
const BLANK_LINE_LENGTH = 2

type State = {
  readonly context: ReplyContext
  readonly sink: ChatSink
  readonly calls: Map<number, ChatCall>
  started: boolean
  opened: boolean
  ended: boolean
  images: number
  /** Block of the last text and of the last reasoning delta; -1 = none yet. */
  textBlock: number
  reasoningBlock: number
  /** Where the current block's text begins in `content`. */
  blockOffset: number
  /** The current block's text: its length is needed only when a citation or another message follows. */
  blockTexts: JsonText[]
  usage: Usage | undefined
}

/** Returns the function that takes the events of one answer. Whatever comes after the end is ignored. */
export function makeChatSteps(context: ReplyContext, sink: ChatSink): (event: StreamEvent) => void {
  const state: State = {
    context,
    sink,
    calls: new Map(),
    started: false,
    opened: false,
    ended: false,
    images: 0,
    textBlock: -1,
    reasoningBlock: -1,
    blockOffset: 0,
    blockTexts: [],
    usage: undefined,
  }
  return event => {
    if (!state.ended) step(state, event)
  }
}

function step(state: State, event: StreamEvent): void {
  switch (event.type) {
    case "text-delta":
      onText(state, event.block, event.text)
      return
    case "tool-delta":
      onCallInput(state, event.block, event.text)
      return
    case "reasoning-delta":
      onReasoning(state, event.block, event.text)
      return
    case "refusal-delta":
      open(state)
      state.sink.text("refusal", event.text)
      return
    case "tool-start":
      onCall(state, event)
      return
    case "citation":
      onCitation(state, event.block, event.citation)
      return
    case "image":
      open(state)
      state.sink.image(state.images++, dataUrl(event.format, event.base64))
      return
    case "response-start":
    case "usage":
    case "finish":
    case "error":
      stepLifecycle(state, event)
      return
    case "text-start":
    case "text-end":
    case "reasoning-start":
    case "reasoning-end":
    case "tool-end":
    case "native-item":
    case "image-partial":
      // Blocks leave no trace of their own in this dialect; hosted items are not the client's to act on.
      return
    default:
      assertNever(event)
  }
}

type LifecycleEvent = Extract<StreamEvent, { type: "response-start" | "usage" | "finish" | "error" }>

function stepLifecycle(state: State, event: LifecycleEvent): void {
  switch (event.type) {
    case "response-start":
      start(state, event)
      return
    case "usage":
      state.usage = event.usage
      return
    case "finish":
      onFinish(state, event.reason, event.serviceTier)
      return
    case "error":
      state.ended = true
      state.sink.error(event.error)
      return
    default:
      assertNever(event)
  }
}

type StartFacts = { readonly id: string; readonly createdAtSec: number }

function start(state: State, { id, createdAtSec }: StartFacts): void {
  if (state.started) return
  state.started = true
  const { context } = state
  state.sink.start({
    id: `chatcmpl-${id === "" ? context.requestId : id.replace(/^resp_/, "")}`,
    created: createdAtSec > 0 ? createdAtSec : context.nowSec,
    model: context.model,
  })
}

function open(state: State): void {
  if (state.opened) return
  state.opened = true
  start(state, { id: "", createdAtSec: 0 })
  state.sink.open()
}

function onText(state: State, block: number, literal: JsonText): void {
  open(state)
  if (block !== state.textBlock) enterTextBlock(state, block, literal)
  state.blockTexts.push(literal)
  state.sink.text("content", literal)
}

/** A client has one `content`: messages are set apart by a blank line unless one of them brings a line break. */
function enterTextBlock(state: State, block: number, literal: JsonText): void {
  const before = state.blockTexts.at(-1)
  state.textBlock = block
  state.blockOffset = contentLength(state)
  state.blockTexts = []
  if (before === undefined || readJsonText(before).endsWith("\n") || readJsonText(literal).startsWith("\n")) return
  state.blockOffset += BLANK_LINE_LENGTH
  state.sink.text("content", BLANK_LINE)
}

function contentLength({ blockOffset, blockTexts }: State): number {
  return blockTexts.reduce((length, literal) => length + literalTextLength(literal), blockOffset)
}

function onReasoning(state: State, block: number, literal: JsonText): void {
  open(state)
  if (block !== state.reasoningBlock && state.reasoningBlock !== -1) state.sink.text("reasoning_content", BLANK_LINE)
  state.reasoningBlock = block
  state.sink.text("reasoning_content", literal)
}

function onCall(state: State, event: Extract<StreamEvent, { type: "tool-start" }>): void {
  const { reply, toolNames } = state.context
  // The legacy form has room for one call; more cannot be said in it.
  if (reply.legacyFunctions && state.calls.size > 0) return
  open(state)
  const call: ChatCall = {
    index: state.calls.size,
    id: event.callId,
    name: toolNames.get(event.name) ?? event.name,
    form: reply.legacyFunctions ? "legacy" : event.kind === "custom" && !reply.customAsFunction ? "custom" : "function",
  }
  state.calls.set(event.block, call)
  state.sink.call(call)
}

function onCallInput(state: State, block: number, literal: JsonText): void {
  const call = state.calls.get(block)
  if (call !== undefined) state.sink.callInput(call, literal)
}

function onCitation(state: State, block: number, citation: UrlCitation): void {
  open(state)
  const offset = block === state.textBlock ? state.blockOffset : contentLength(state)
  state.sink.citation({
    ...citation,
    startIndex: citation.startIndex + offset,
    endIndex: citation.endIndex + offset,
  })
}

function onFinish(state: State, reason: FinishReason, serviceTier: string | undefined): void {
  open(state)
  state.ended = true
  state.sink.finish({ reason: finishWord(state, reason), usage: state.usage, serviceTier })
}

/** Counts the calls that were really sent: clients loop on `tool_calls` without any. */
function finishWord(state: State, reason: FinishReason): ChatFinishReason {
  switch (reason) {
    case "length":
    case "unstated":
      return "length"
    case "content-filter":
      return "content_filter"
    case "stop":
    case "tool-calls":
      if (state.calls.size === 0) return "stop"
      return state.context.reply.legacyFunctions ? "function_call" : "tool_calls"
    default:
      return assertNever(reason)
  }
}

function dataUrl(format: string, base64: JsonText): JsonText {
  const head = literalBody(jsonTextOf(`data:image/${format};base64,`))
  return literalOfBody(head + literalBody(base64))
}
