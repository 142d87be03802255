/** The one state machine behind the Messages stream and its folded answer, so that the two cannot disagree. */

import { assertNever } from "#core/assert-never.ts"
import type { StreamEvent, Usage } from "#core/events.ts"
import { brokenArguments } from "#protocols/argument-log.ts"
import type { ReplyContext } from "#protocols/protocol.ts"

import { type BlockWriter, makeBlockWriter } from "./block-writer.ts"
import { makeEventOrder } from "./event-order.ts"
import type { MessagesSink } from "./messages-sink.ts"
import { readSearch, writeSearch } from "./search-blocks.ts"
import { stopReasonOf } from "./stop-reason.ts"
import { makeTextStep, type TextStep } from "./text-step.ts"
import { makeThinkingStep, type ThinkingStep } from "./thinking-step.ts"
import { makeToolSteps, type ToolSteps } from "./tool-step.ts"

/** Stands for an image the model made: this dialect has no block for it. */
const IMAGE_NOTE = "[The model made an image, which this API cannot carry.]"

/** Characters a token has on average: for answers whose upstream states no usage. */
const CHARS_PER_TOKEN = 4

type State = {
  readonly context: ReplyContext
  readonly sink: MessagesSink
  readonly writer: BlockWriter
  readonly text: TextStep
  readonly thinking: ThinkingStep
  readonly tools: ToolSteps
  started: boolean
  ended: boolean
  /** Only refused so far; said something. */
  refused: boolean
  spoke: boolean
  usage: Usage | undefined
}

/**
 * Returns the function that takes the events of one answer. Whatever comes after the end is ignored.
 * It throws `upstream-protocol` for a tool call that nobody can run.
 */
export function makeMessageSteps(context: ReplyContext, sink: MessagesSink): (event: StreamEvent) => void {
  const writer = makeBlockWriter(sink)
  const state: State = {
    context,
    sink,
    writer,
    text: makeTextStep(writer),
    thinking: makeThinkingStep(context, writer),
    tools: makeToolSteps(context, writer),
    started: false,
    ended: false,
    refused: false,
    spoke: false,
    usage: undefined,
  }
  const take = makeEventOrder(context, event => {
    // The hot path: text while nothing is wrong needs none of the tables below.
    if (event.type === "text-delta" && state.spoke && !state.tools.isBroken()) state.text.delta(event.text)
    else step(state, event)
  })
  return event => {
    if (!state.ended) take(event)
  }
}

type EventOf<Type extends StreamEvent["type"]> = Extract<StreamEvent, { type: Type }>

function step(state: State, event: StreamEvent): void {
  switch (event.type) {
    case "response-start":
    case "usage":
    case "finish":
    case "error":
      onLifecycle(state, event)
      return
    case "reasoning-start":
    case "reasoning-delta":
    case "reasoning-end":
    case "tool-start":
    case "tool-delta":
    case "tool-end":
    case "image":
    case "native-item":
    case "text-start":
    case "text-delta":
    case "refusal-delta":
    case "citation":
    case "text-end":
      // Arguments that came to nothing are forgiven only to an answer that ends with them because it was cut.
      if (state.tools.isBroken()) throw brokenArguments()
      onBlock(state, event)
      return
    case "image-partial":
      return
    default:
      assertNever(event)
  }
}

type BlockEvent = Extract<StreamEvent, { readonly block: number }>

function onBlock(state: State, event: BlockEvent): void {
  switch (event.type) {
    case "reasoning-start":
      return
    case "reasoning-delta":
      state.thinking.delta(event.text)
      return
    case "reasoning-end":
      state.thinking.end(event.seal)
      return
    case "tool-start":
      state.tools.start(event)
      return
    case "tool-delta":
      state.tools.delta(event.text)
      return
    case "tool-end":
      state.tools.end(event.cut === true)
      return
    case "native-item":
      onNativeItem(state, event)
      return
    case "image":
    case "text-start":
    case "text-delta":
    case "refusal-delta":
    case "citation":
    case "text-end":
      onMessage(state, event)
      return
    default:
      assertNever(event)
  }
}

function onMessage(
  state: State,
  event: EventOf<"image" | "text-start" | "text-delta" | "refusal-delta" | "citation" | "text-end">,
): void {
  switch (event.type) {
    case "text-delta":
      state.spoke = true
      state.text.delta(event.text)
      return
    case "refusal-delta":
      state.refused = true
      state.text.delta(event.text)
      return
    case "text-start":
      state.text.start()
      return
    case "text-end":
      state.text.end()
      return
    case "citation":
      state.text.cite(event.citation)
      return
    case "image":
      state.spoke = true
      state.text.whole(IMAGE_NOTE)
      return
    default:
      assertNever(event)
  }
}

function onNativeItem(state: State, event: EventOf<"native-item">): void {
  const search = readSearch(event)
  if (search !== undefined) writeSearch(search, state.writer)
}

function onLifecycle(state: State, event: EventOf<"response-start" | "usage" | "finish" | "error">): void {
  switch (event.type) {
    case "response-start":
      start(state, event.id)
      return
    case "usage":
      state.usage = event.usage
      return
    case "finish":
      finish(state, event)
      return
    case "error":
      state.ended = true
      state.sink.error(event.error)
      return
    default:
      assertNever(event)
  }
}

function start(state: State, id: string): void {
  if (state.started) return
  state.started = true
  const stem = id === "" ? state.context.requestId.replace(/^req_/, "") : id.replace(/^resp_/, "")
  state.sink.start({ id: `msg_${stem}`, inputTokens: inputEstimate(state) })
}

function inputEstimate({ context }: State): number {
  return Math.max(1, Math.round(context.estimateInputTokens()))
}

function finish(state: State, { reason }: EventOf<"finish">): void {
  start(state, "")
  const { writer, tools, text, refused, spoke } = state
  tools.settle(reason)
  const stopReason = stopReasonOf(reason, { calls: tools.whole(), cutCalls: tools.cut(), refused: refused && !spoke })
  const content = writer.count("text") + writer.count("tool_use") + writer.count("server_tool_use")
  // Clients fail over a message without content, or with nothing but thinking.
  const mayBeEmpty = stopReason === "refusal" || state.context.reply.wantsNothing === true
  if (content === 0 && !mayBeEmpty) text.whole()
  state.ended = true
  state.sink.finish({
    stopReason,
    usage: state.usage ?? estimatedUsage(state),
    searches: writer.count("server_tool_use"),
  })
}

function estimatedUsage(state: State): Usage {
  const outputTokens = Math.ceil(state.writer.writtenChars() / CHARS_PER_TOKEN)
  return { inputTokens: inputEstimate(state), inputCachedTokens: 0, outputTokens, reasoningTokens: 0 }
}
