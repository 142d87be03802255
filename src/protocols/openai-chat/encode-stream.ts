/** Turns neutral events into Chat Completions chunks. */

import { openAiErrorOf } from "#protocols/openai-error.ts"
import type { ReplyContext, StreamEncoder } from "#protocols/protocol.ts"
import { preparePrefix, SSE_KEEP_ALIVE_COMMENT, sseData } from "#wire/sse-writer.ts"

import { chatCitationText, chatImageText } from "./chat-parts.ts"
import { type ChatCall, type ChatFinish, type ChatHead, type ChatSink, makeChatSteps } from "./chat-steps.ts"
import { chatUsageText } from "./chat-usage.ts"

/** The last line of a good answer. A failed one has none, so that nobody takes the torso for the whole. */
const DONE = sseData("[DONE]")

/** Everything that is the same in each chunk of one answer, put together once. */
type Prefixes = {
  /** Up to and including `"delta":`. */
  readonly delta: string
  readonly text: Readonly<Record<"content" | "refusal" | "reasoning_content", string>>
  /** From after the delta to the end of the frame. */
  readonly tail: string
  /** Closes the delta's object as well. */
  readonly textTail: string
  readonly callTail: string
  readonly legacyTail: string
  readonly head: string
}

type State = {
  readonly context: ReplyContext
  prefixes: Prefixes
  callPrefixes: string[]
  out: string
}

/** Makes an encoder for one answer. */
export function makeChatEncoder(context: ReplyContext): StreamEncoder {
  const state: State = {
    context,
    prefixes: prefixesOf({ id: "", created: 0, model: "" }, context),
    callPrefixes: [],
    out: "",
  }
  const step = makeChatSteps(context, makeSink(state))
  return {
    encode: event => {
      state.out = ""
      step(event)
      return state.out
    },
    keepAlive: () => SSE_KEEP_ALIVE_COMMENT,
  }
}

function makeSink(state: State): ChatSink {
  return {
    start: head => {
      state.prefixes = prefixesOf(head, state.context)
    },
    open: () => writeDelta(state, '{"role":"assistant","content":""}'),
    text: (field, literal) => {
      // The hot path: three pieces, no object, no serialiser. Appended one by one the rope stays flat, which costs a
      // third less to write out than a sum of the three.
      state.out += state.prefixes.text[field]
      state.out += literal
      state.out += state.prefixes.textTail
    },
    call: call => {
      state.callPrefixes[call.index] = callInputPrefix(state.prefixes, call)
      writeDelta(state, callHeader(call))
    },
    callInput: (call, literal) => {
      state.out += state.callPrefixes[call.index] ?? ""
      state.out += literal
      state.out += call.form === "legacy" ? state.prefixes.legacyTail : state.prefixes.callTail
    },
    citation: citation => writeDelta(state, `{"annotations":[${chatCitationText(citation)}]}`),
    image: (index, url) => writeDelta(state, `{"images":[${chatImageText(index, url)}]}`),
    finish: finish => writeFinish(state, finish),
    error: error => {
      state.out += sseData(JSON.stringify({ error: openAiErrorOf(error, state.context.requestId) }))
    },
  }
}

function prefixesOf({ id, created, model }: ChatHead, context: ReplyContext): Prefixes {
  const head = preparePrefix(
    `data: {"id":${JSON.stringify(id)},"object":"chat.completion.chunk","created":${created},`,
    `"model":${JSON.stringify(model)},"choices":[`,
  )
  const delta = preparePrefix(head, '{"index":0,"delta":')
  const tail = preparePrefix(
    ',"logprobs":null,"finish_reason":null}]',
    context.reply.includeUsage ? ',"usage":null' : "",
    "}\n\n",
  )
  return {
    head,
    delta,
    text: {
      content: preparePrefix(delta, '{"content":'),
      refusal: preparePrefix(delta, '{"refusal":'),
      reasoning_content: preparePrefix(delta, '{"reasoning_content":'),
    },
    tail,
    textTail: preparePrefix("}", tail),
    callTail: preparePrefix("}}]}", tail),
    legacyTail: preparePrefix("}}", tail),
  }
}

function writeDelta(state: State, delta: string): void {
  state.out += state.prefixes.delta + delta + state.prefixes.tail
}

/** Id, type and name stand in the first chunk of a call only: many clients append what is repeated. */
function callHeader({ index, id, name, form }: ChatCall): string {
  const nameText = JSON.stringify(name)
  if (form === "legacy") return `{"function_call":{"name":${nameText},"arguments":""}}`
  const body = `{"name":${nameText},${form === "custom" ? '"input"' : '"arguments"'}:""}`
  return `{"tool_calls":[{"index":${index},"id":${JSON.stringify(id)},"type":"${form}","${form}":${body}}]}`
}

function callInputPrefix({ delta }: Prefixes, { index, form }: ChatCall): string {
  if (form === "legacy") return preparePrefix(delta, '{"function_call":{"arguments":')
  const key = form === "custom" ? "input" : "arguments"
  return preparePrefix(delta, `{"tool_calls":[{"index":${index},"${form}":{"${key}":`)
}

function writeFinish(state: State, { reason, usage, serviceTier }: ChatFinish): void {
  const { head } = state.prefixes
  const { includeUsage } = state.context.reply
  const tier = serviceTier === undefined ? "" : `,"service_tier":${JSON.stringify(serviceTier)}`
  state.out += `${head}{"index":0,"delta":{},"logprobs":null,"finish_reason":"${reason}"}]`
  state.out += `${includeUsage ? ',"usage":null' : ""}${tier}}\n\n`
  if (includeUsage && usage !== undefined) state.out += `${head}],"usage":${chatUsageText(usage)}}\n\n`
  state.out += DONE
}
