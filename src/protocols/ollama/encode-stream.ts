/** Turns neutral events into the lines of an Ollama stream: one JSON object each, the last one with `done` or an error. */

import type { JsonText } from "#core/json.ts"
import type { ReplyContext, StreamEncoder } from "#protocols/protocol.ts"

import { makeHead, type OllamaShape, shapeOf } from "./answer/shape.ts"
import type { OllamaSink } from "./answer/sink.ts"
import { splitLiteral } from "./answer/split-literal.ts"
import { makeOllamaSteps } from "./answer/steps.ts"
import { ollamaErrorText } from "./encode-error.ts"

const MORE = ',"done":false}\n'

/** Calls go out in one line; more text than this is spread over several, as far as it can be. */
const CALLS_CHARS = 20_000

type State = {
  readonly shape: OllamaShape
  readonly head: () => string
  out: string
}

/** Makes an encoder for one answer. */
export function makeOllamaEncoder(context: ReplyContext): StreamEncoder {
  const state: State = { shape: shapeOf(context), head: makeHead(context), out: "" }
  const step = makeOllamaSteps(context, makeSink(state))
  return {
    encode: event => {
      state.out = ""
      step(event)
      return state.out
    },
    // Blank lines are JSON to many clients, and break them.
    keepAlive: () => line(state, '""', ""),
  }
}

function line({ head, shape }: State, literal: string, members: string): string {
  return head() + shape.open + literal + members + shape.close + MORE
}

function makeSink(state: State): OllamaSink {
  const { shape, head } = state
  return {
    text: literal => eachPiece(literal, piece => line(state, piece, "")),
    thinking: literal => eachPiece(literal, piece => line(state, '""', `,"thinking":${piece}`)),
    calls: calls => {
      for (const some of grouped(calls)) state.out += line(state, '""', `,"tool_calls":[${some.join(",")}]`)
    },
    finish: ({ reason, metrics }) => {
      state.out += `${head()}${shape.open}""${shape.close},"done":true,"done_reason":"${reason}"${metrics}}\n`
    },
    error: error => {
      state.out += `${ollamaErrorText(error)}\n`
    },
  }

  function eachPiece(literal: JsonText, write: (piece: JsonText) => string): void {
    for (const piece of splitLiteral(literal)) state.out += write(piece)
  }
}

function grouped(calls: readonly string[]): readonly (readonly string[])[] {
  const groups: string[][] = []
  let chars = 0
  for (const call of calls) {
    const last = groups.at(-1)
    if (last !== undefined && chars + call.length <= CALLS_CHARS) last.push(call)
    else {
      groups.push([call])
      chars = 0
    }
    chars += call.length
  }
  return groups
}
