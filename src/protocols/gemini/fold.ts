/** Folds neutral events into the answer of a client that does not stream. */

import type { GatewayError } from "#core/errors.ts"
import type { JsonText } from "#core/json.ts"
import type { Folder, ReplyContext } from "#protocols/protocol.ts"
import { streamBreak } from "#protocols/stream-break.ts"
import { literalBody } from "#wire/json-literal.ts"

import { endOfCandidate, lastMembers } from "./answer/end-text.ts"
import { type GeminiEnd, type GeminiSink, signatureMember } from "./answer/sink.ts"
import { makeGeminiSteps } from "./answer/steps.ts"

/** A part under way: bodies of literals, joined without decoding them. */
type FoldedPart =
  | { readonly kind: "text" | "thought"; body: string; readonly signature: string | undefined }
  | { readonly kind: "whole"; readonly body: string; readonly signature: string | undefined }

type State = {
  readonly parts: FoldedPart[]
  id: string
  end: GeminiEnd | undefined
  error: GatewayError | undefined
}

/** Makes a folder for one answer. */
export function makeGeminiFolder(context: ReplyContext): Folder {
  const state: State = { parts: [], id: context.requestId, end: undefined, error: undefined }
  return {
    add: makeGeminiSteps(context, makeSink(state)),
    finish: () => {
      if (state.error !== undefined) throw state.error
      if (state.end !== undefined) return answerText(state, state.end, context.model)
      throw streamBreak()
    },
  }
}

function makeSink(state: State): GeminiSink {
  return {
    start: responseId => {
      state.id = responseId
    },
    text: (literal, signature) => append(state, "text", literal, signature),
    thought: literal => {
      state.parts.push({ kind: "thought", body: literalBody(literal), signature: undefined })
    },
    whole: (body, signature) => {
      state.parts.push({ kind: "whole", body, signature })
    },
    finish: end => {
      state.end = end
    },
    error: error => {
      state.error = error
    },
  }
}

/** Neighbours are one part, unless the later one carries a signature of its own. */
function append(state: State, kind: "text", literal: JsonText, signature: string | undefined): void {
  const last = state.parts.at(-1)
  if (last?.kind === kind && signature === undefined) last.body += literalBody(literal)
  else state.parts.push({ kind, body: literalBody(literal), signature })
}

function answerText({ parts, id }: State, end: GeminiEnd, model: string): string {
  const texts = parts.map(partText)
  // An answer without a part is thrown away by chats.
  if (texts.length === 0 || end.signature !== undefined) texts.push(`{"text":""${signatureMember(end.signature)}}`)
  return (
    `{"candidates":[{"content":{"role":"model","parts":[${texts.join(",")}]},"index":0${endOfCandidate(end)}}],` +
    `${lastMembers(end)}"modelVersion":${JSON.stringify(model)},"responseId":${JSON.stringify(id)}}`
  )
}

function partText({ kind, body, signature }: FoldedPart): string {
  const member = kind === "whole" ? body : `"text":"${body}"${kind === "thought" ? ',"thought":true' : ""}`
  return `{${member}${signatureMember(signature)}}`
}
