/** Folds neutral events into the answer of a client that does not stream. */

import type { GatewayError } from "#core/errors.ts"
import type { Folder, ReplyContext } from "#protocols/protocol.ts"
import { streamBreak } from "#protocols/stream-break.ts"
import { literalBody } from "#wire/json-literal.ts"

import { makeHead, shapeOf } from "./answer/shape.ts"
import type { OllamaEnd, OllamaSink } from "./answer/sink.ts"
import { makeOllamaSteps } from "./answer/steps.ts"

type State = {
  /** Bodies of literals, joined without decoding them. */
  text: string
  thinking: string
  calls: readonly string[]
  end: OllamaEnd | undefined
  error: GatewayError | undefined
}

/** Makes a folder for one answer. */
export function makeOllamaFolder(context: ReplyContext): Folder {
  const state: State = { text: "", thinking: "", calls: [], end: undefined, error: undefined }
  return {
    add: makeOllamaSteps(context, makeSink(state)),
    finish: () => {
      if (state.error !== undefined) throw state.error
      if (state.end !== undefined) return answerText(state, state.end, context)
      throw streamBreak()
    },
  }
}

function makeSink(state: State): OllamaSink {
  return {
    text: literal => {
      state.text += literalBody(literal)
    },
    thinking: literal => {
      state.thinking += literalBody(literal)
    },
    calls: calls => {
      state.calls = calls
    },
    finish: end => {
      state.end = end
    },
    error: error => {
      state.error = error
    },
  }
}

function answerText({ text, thinking, calls }: State, { reason, metrics }: OllamaEnd, context: ReplyContext): string {
  const { open, close } = shapeOf(context)
  const members =
    (thinking === "" ? "" : `,"thinking":"${thinking}"`) +
    (calls.length === 0 ? "" : `,"tool_calls":[${calls.join(",")}]`)
  return `${makeHead(context)()}${open}"${text}"${members}${close},"done":true,"done_reason":"${reason}"${metrics}}`
}
