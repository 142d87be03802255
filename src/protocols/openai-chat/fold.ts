/** Folds neutral events into the Chat Completions answer of a client that does not stream. */

import type { GatewayError } from "#core/errors.ts"
import type { Folder, ReplyContext } from "#protocols/protocol.ts"
import { streamBreak } from "#protocols/stream-break.ts"
import { literalBody } from "#wire/json-literal.ts"

import { chatCitationText, chatImageText } from "./chat-parts.ts"
import {
  type ChatCall,
  type ChatFinish,
  type ChatHead,
  type ChatSink,
  type ChatTextField,
  makeChatSteps,
} from "./chat-steps.ts"
import { chatUsageText } from "./chat-usage.ts"

type State = {
  head: ChatHead
  /** Bodies of literals, joined: the answer is written without decoding them. */
  readonly texts: Record<ChatTextField, string>
  readonly calls: { readonly call: ChatCall; input: string }[]
  readonly citations: string[]
  readonly images: string[]
  finish: ChatFinish | undefined
  error: GatewayError | undefined
}

/** Makes a folder for one answer. */
export function makeChatFolder(context: ReplyContext): Folder {
  const state: State = {
    head: { id: "", created: 0, model: "" },
    texts: { content: "", refusal: "", reasoning_content: "" },
    calls: [],
    citations: [],
    images: [],
    finish: undefined,
    error: undefined,
  }
  return {
    add: makeChatSteps(context, makeSink(state)),
    finish: () => {
      if (state.error !== undefined) throw state.error
      if (state.finish === undefined) {
        throw streamBreak()
      }
      return answerText(state, state.finish)
    },
  }
}

function makeSink(state: State): ChatSink {
  return {
    start: head => {
      state.head = head
    },
    open: () => {},
    text: (field, literal) => {
      state.texts[field] += literalBody(literal)
    },
    call: call => {
      state.calls.push({ call, input: "" })
    },
    callInput: (call, literal) => {
      const entry = state.calls[call.index]
      if (entry !== undefined) entry.input += literalBody(literal)
    },
    citation: citation => state.citations.push(chatCitationText(citation)),
    image: (index, url) => state.images.push(chatImageText(index, url)),
    finish: finish => {
      state.finish = finish
    },
    error: error => {
      state.error = error
    },
  }
}

function answerText(state: State, { reason, usage, serviceTier }: ChatFinish): string {
  const { id, created, model } = state.head
  const choice = `{"index":0,"message":${messageText(state)},"logprobs":null,"finish_reason":"${reason}"}`
  return (
    `{"id":${JSON.stringify(id)},"object":"chat.completion","created":${created},"model":${JSON.stringify(model)},` +
    `"choices":[${choice}]` +
    `${usage === undefined ? "" : `,"usage":${chatUsageText(usage)}`}` +
    `${serviceTier === undefined ? "" : `,"service_tier":${JSON.stringify(serviceTier)}`}}`
  )
}

function messageText({ texts, calls, citations, images }: State): string {
  const hasOther = calls.length > 0 || texts.refusal !== ""
  const members = [
    '"role":"assistant"',
    `"content":${texts.content === "" && hasOther ? "null" : `"${texts.content}"`}`,
    `"refusal":${texts.refusal === "" ? "null" : `"${texts.refusal}"`}`,
  ]
  if (texts.reasoning_content !== "") members.push(`"reasoning_content":"${texts.reasoning_content}"`)
  // An empty list reads as "calls follow" to some clients, so the key is absent instead.
  if (calls.length > 0) members.push(callsText(calls))
  if (citations.length > 0) members.push(`"annotations":[${citations.join(",")}]`)
  if (images.length > 0) members.push(`"images":[${images.join(",")}]`)
  return `{${members.join(",")}}`
}

function callsText(calls: State["calls"]): string {
  const first = calls[0]
  if (first?.call.form === "legacy") {
    return `"function_call":{"name":${JSON.stringify(first.call.name)},"arguments":"${first.input}"}`
  }
  return `"tool_calls":[${calls.map(callText).join(",")}]`
}

function callText({ call: { id, name, form }, input }: State["calls"][number]): string {
  const key = form === "custom" ? "input" : "arguments"
  const body = `{"name":${JSON.stringify(name)},"${key}":"${input}"}`
  return `{"id":${JSON.stringify(id)},"type":"${form}","${form}":${body}}`
}
