/** Turns neutral events into the chunks of a Gemini stream: bare data frames, or the elements of a JSON array. */

import type { GatewayError } from "#core/errors.ts"
import type { ReplyContext, StreamEncoder } from "#protocols/protocol.ts"
import { preparePrefix } from "#wire/sse-writer.ts"

import { endOfCandidate, lastMembers } from "./answer/end-text.ts"
import { type GeminiEnd, type GeminiSink, signatureMember } from "./answer/sink.ts"
import { makeGeminiSteps } from "./answer/steps.ts"
import { geminiErrorText } from "./encode-error.ts"

const CONTENT = '{"candidates":[{"content":{"role":"model","parts":[{'
const AFTER_PART = '}]},"index":0'

/** How chunks are set apart: strict clients lose everything after a frame that is not exactly `data: {…}`. */
type Framing = {
  readonly before: () => string
  readonly after: string
  readonly close: string
  readonly error: (text: string) => string
  /** What says nothing and is no chunk, where the framing has such a thing. */
  readonly blank: string | undefined
}

type State = {
  readonly framing: Framing
  readonly version: string
  /** From the end of the candidates to the end of the frame. */
  tail: string
  /** After a part of a chunk that is not the last one. */
  textTail: string
  out: string
}

/** Makes an encoder for one answer. */
export function makeGeminiEncoder(context: ReplyContext): StreamEncoder {
  const framing = context.reply.asArray === true ? arrayFraming() : eventFraming()
  const state: State = {
    framing,
    version: `"modelVersion":${JSON.stringify(context.model)}`,
    tail: "",
    textTail: "",
    out: "",
  }
  setTail(state, undefined)
  const step = makeGeminiSteps(context, makeSink(state))
  return {
    encode: event => {
      state.out = ""
      step(event)
      return state.out
    },
    keepAlive: () => {
      if (framing.blank !== undefined) return framing.blank
      return `${framing.before()}${CONTENT}"text":""${state.textTail}`
    },
  }
}

function makeSink(state: State): GeminiSink {
  const { framing } = state
  return {
    start: responseId => setTail(state, responseId),
    text: (literal, signature) => {
      // The hot path: pieces appended one by one, no object and no serialiser.
      state.out += framing.before()
      state.out += `${CONTENT}"text":`
      state.out += literal
      if (signature !== undefined) state.out += signatureMember(signature)
      state.out += state.textTail
    },
    thought: literal => {
      state.out += `${framing.before()}${CONTENT}"text":${literal},"thought":true${state.textTail}`
    },
    whole: (body, signature) => {
      state.out += `${framing.before()}${CONTENT}${body}${signatureMember(signature)}${state.textTail}`
    },
    finish: end => writeEnd(state, end),
    error: error => writeError(state, error),
  }
}

function setTail(state: State, responseId: string | undefined): void {
  const id = responseId === undefined ? "" : `,"responseId":${JSON.stringify(responseId)}`
  state.tail = preparePrefix(state.version, id, "}", state.framing.after)
  state.textTail = preparePrefix(AFTER_PART, "}],", state.tail)
}

function writeEnd(state: State, end: GeminiEnd): void {
  state.out +=
    `${state.framing.before()}${CONTENT}"text":""${signatureMember(end.signature)}${AFTER_PART}` +
    `${endOfCandidate(end)}}],${lastMembers(end)}${state.tail}${state.framing.close}`
}

function writeError(state: State, error: GatewayError): void {
  state.out += state.framing.error(geminiErrorText(error))
}

/** Errors come twice: new clients understand the frame, old ones only the bare object behind it. */
function eventFraming(): Framing {
  return {
    before: () => "data: ",
    after: "\n\n",
    close: "",
    error: text => `data: ${text}\n\n${text}\n\n`,
    blank: undefined,
  }
}

function arrayFraming(): Framing {
  let isOpen = false
  const before = () => {
    const mark = isOpen ? ",\n" : "["
    isOpen = true
    return mark
  }
  return { before, after: "", close: "]", error: text => `${before()}${text}]`, blank: "\n" }
}
