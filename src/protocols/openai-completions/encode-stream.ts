/** Turns neutral events into the chunks of a legacy completion. */

import type { ChatFinish, ChatHead } from "#protocols/openai-chat/chat-steps.ts"
import { chatUsageText } from "#protocols/openai-chat/chat-usage.ts"
import { openAiErrorOf } from "#protocols/openai-error.ts"
import type { ReplyContext, StreamEncoder } from "#protocols/protocol.ts"
import { preparePrefix, SSE_KEEP_ALIVE_COMMENT, sseData } from "#wire/sse-writer.ts"

import { makeCompletionSteps } from "./completion-sink.ts"

const DONE = sseData("[DONE]")

type State = {
  /** Up to and including `"choices":[`. */
  head: string
  /** Up to and including `"text":`. */
  text: string
  out: string
}

/** Makes an encoder for one answer. The form has no object of its own for chunks. */
export function makeCompletionsEncoder(context: ReplyContext): StreamEncoder {
  const noUsage = context.reply.includeUsage ? ',"usage":null' : ""
  const textTail = preparePrefix(',"logprobs":null,"finish_reason":null}]', noUsage, "}\n\n")
  const state: State = { head: "", text: "", out: "" }
  const step = makeCompletionSteps(context, {
    start: head => {
      state.head = headOf(head)
      state.text = preparePrefix(state.head, '{"index":0,"text":')
    },
    text: literal => {
      state.out += state.text
      state.out += literal
      state.out += textTail
    },
    finish: finish => {
      state.out += `${state.text}"","logprobs":null,"finish_reason":"${reasonOf(finish)}"}]${noUsage}}\n\n`
      if (context.reply.includeUsage && finish.usage !== undefined) {
        state.out += `${state.head}],"usage":${chatUsageText(finish.usage)}}\n\n`
      }
      state.out += DONE
    },
    error: error => {
      state.out += sseData(JSON.stringify({ error: openAiErrorOf(error, context.requestId) }))
    },
  })
  return {
    encode: event => {
      state.out = ""
      step(event)
      return state.out
    },
    keepAlive: () => SSE_KEEP_ALIVE_COMMENT,
  }
}

function headOf({ id, created, model }: ChatHead): string {
  return preparePrefix(
    `data: {"id":${JSON.stringify(id)},"object":"text_completion","created":${created},`,
    `"model":${JSON.stringify(model)},"choices":[`,
  )
}

/** Returns the reason in the form's words: calls have no place in it, so an answer that ends in one has stopped. */
export function reasonOf({ reason }: Pick<ChatFinish, "reason">): "stop" | "length" | "content_filter" {
  return reason === "length" || reason === "content_filter" ? reason : "stop"
}
