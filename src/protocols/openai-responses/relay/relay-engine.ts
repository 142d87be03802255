/** Lane 1 in byte text: passes what needs no change, edits the few events that do, and remembers what they said. */

import type { GatewayError } from "#core/errors.ts"
import { makeEventReader } from "#protocols/openai-responses/event-reader.ts"
import { HTML_BODY, readFailureBody, STREAM_BREAK } from "#protocols/openai-responses/read-failure.ts"
import type { AnswerParts, AnswerState, ReplyContext } from "#protocols/protocol.ts"
import { utf8OfByteText } from "#wire/bytes.ts"
import { SSE_KEEP_ALIVE_COMMENT } from "#wire/sse-writer.ts"

import { makeRelayEvents } from "./relay-events.ts"
import { makeRelayOutput } from "./relay-output.ts"

/** The relay of one answer, without its byte ends. */
export type RelayEngine = {
  /** Takes upstream byte text, returns the client's; the same string when nothing had to change. */
  readonly push: (text: string) => string
  readonly end: () => string
  readonly fail: (error: GatewayError) => string
  readonly keepAlive: () => string
  readonly state: () => AnswerState
  /** The response object of the terminal event as JSON text, once it has passed. */
  readonly response: () => string | undefined
}

/** What a relay needs of its answer. */
export type RelayParts = Pick<
  AnswerParts,
  "readFailure" | "maxFrameBytes" | "noteOpaque" | "noteAside" | "noteResponse"
>

const LINE_FEED = 10
const CLOSE_BRACE = 125

/** Makes the engine for one answer. */
export function makeRelayEngine(context: ReplyContext, parts: RelayParts): RelayEngine {
  const { readFailure, maxFrameBytes, noteOpaque, noteAside, noteResponse } = parts
  const output = makeRelayOutput()
  const events = makeRelayEvents({ context, output, readFailure, noteOpaque, noteAside, noteResponse })
  const reader = makeEventReader({
    ...(maxFrameBytes !== undefined && { maxFrameBytes }),
    onFrame: (text, start, end, dataAt) => {
      if (!events.isFinished()) events.read({ text, start, end, dataAt })
    },
    skipAhead: (text, start) => {
      const prefix = events.unreadPrefix()
      // The hot path: one comparison tells a delta, which is never changed.
      const isHot = prefix !== "" && text.startsWith(prefix, start) && output.passesUnread()
      const end = isHot ? text.indexOf("\n", start + prefix.length) : -1
      if (end === -1 || text.charCodeAt(end + 1) !== LINE_FEED || text.charCodeAt(end - 1) !== CLOSE_BRACE) return start
      output.pass(text, start, end)
      return end + 2
    },
    onBody: (kind, body) =>
      events.fail(readFailure(kind === "html" ? HTML_BODY : readFailureBody(utf8OfByteText(body)))),
  })
  // What a paced upstream writes, told by one look at it: the splitter's bookkeeping costs several times as much.
  const isOneHotFrame = (text: string) => {
    const prefix = events.unreadPrefix()
    if (prefix === "" || !text.startsWith(prefix) || reader.rest() !== "") return false
    const end = text.length - 2
    return (
      text.indexOf("\n", prefix.length) === end &&
      text.charCodeAt(end + 1) === LINE_FEED &&
      text.charCodeAt(end - 1) === CLOSE_BRACE &&
      !text.includes("\r") &&
      output.passesUnread() &&
      !events.isFinished()
    )
  }
  // Asked for after every chunk; it changes only with events that are read.
  let answer: AnswerState | undefined
  return {
    push: text => {
      if (isOneHotFrame(text)) {
        output.passWhole(text)
        return text
      }
      answer = undefined
      if (!events.isFinished()) reader.push(text)
      return output.take()
    },
    end: () => {
      // What is left may be cut anywhere; an unfinished frame is always parsed before it passes.
      answer = undefined
      if (!events.isFinished()) reader.end()
      if (!events.isFinished()) events.fail(readFailure(STREAM_BREAK))
      return output.take()
    },
    fail: error => {
      answer = undefined
      if (!events.isFinished()) events.fail(error)
      return output.take()
    },
    keepAlive: () => {
      if (events.isFinished()) return ""
      if (events.isCreated()) output.synthesise("keepalive", keepAliveText)
      else output.raw(SSE_KEEP_ALIVE_COMMENT)
      return output.take()
    },
    state: () => {
      answer ??= events.state()
      return answer
    },
    response: events.response,
  }
}

/** Resets the idle timer of clients that do not count comments; the one unknown type the official SDK lets through. */
function keepAliveText(sequence: number): string {
  return `{"type":"keepalive","sequence_number":${sequence}}`
}
