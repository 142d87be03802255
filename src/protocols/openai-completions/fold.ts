/** Folds neutral events into the legacy completion of a client that does not stream. */

import type { GatewayError } from "#core/errors.ts"
import type { ChatFinish, ChatHead } from "#protocols/openai-chat/chat-steps.ts"
import { chatUsageText } from "#protocols/openai-chat/chat-usage.ts"
import type { Folder, ReplyContext } from "#protocols/protocol.ts"
import { streamBreak } from "#protocols/stream-break.ts"
import { literalBody } from "#wire/json-literal.ts"

import { makeCompletionSteps } from "./completion-sink.ts"
import { reasonOf } from "./encode-stream.ts"

type State = {
  head: ChatHead
  /** Bodies of literals, joined: the answer is written without decoding them. */
  text: string
  finish: ChatFinish | undefined
  error: GatewayError | undefined
}

/** Makes a folder for one answer. */
export function makeCompletionsFolder(context: ReplyContext): Folder {
  const state: State = { head: { id: "", created: 0, model: "" }, text: "", finish: undefined, error: undefined }
  return {
    add: makeCompletionSteps(context, {
      start: head => {
        state.head = head
      },
      text: literal => {
        state.text += literalBody(literal)
      },
      finish: finish => {
        state.finish = finish
      },
      error: error => {
        state.error = error
      },
    }),
    finish: () => {
      if (state.error !== undefined) throw state.error
      if (state.finish === undefined) {
        throw streamBreak()
      }
      return answerText(state, state.finish)
    },
  }
}

function answerText({ head, text }: State, finish: ChatFinish): string {
  const choice = `{"index":0,"text":"${text}","logprobs":null,"finish_reason":"${reasonOf(finish)}"}`
  return (
    `{"id":${JSON.stringify(head.id)},"object":"text_completion","created":${head.created},` +
    `"model":${JSON.stringify(head.model)},"choices":[${choice}]` +
    `${finish.usage === undefined ? "" : `,"usage":${chatUsageText(finish.usage)}`}}`
  )
}
