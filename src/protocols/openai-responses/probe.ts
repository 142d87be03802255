/** Reads the head of an answer and says whether it can be committed to. */

import { arrayAt, objectAt, stringAt } from "#core/json.ts"
import type { AnswerParts, ProbeResult, StreamProbe } from "#protocols/protocol.ts"

import { makeEventReader } from "./event-reader.ts"
import { parseFrame } from "./parse-event.ts"
import { HTML_BODY, readFailureBody, readFailureEvent, STREAM_BREAK } from "./read-failure.ts"
import { isLifecycle, isPrivate, terminalKindOf } from "./read-response.ts"

/** How many events without output are held back. An upstream that only chats about itself must not hold a client. */
const MAX_HELD_EVENTS = 16

const HOLD: ProbeResult = { type: "hold" }
const OUTPUT: ProbeResult = { type: "output" }

/** Makes a probe for one answer. */
export function makeResponsesProbe({ maxFrameBytes }: Pick<AnswerParts, "maxFrameBytes"> = {}): StreamProbe {
  let result: ProbeResult = HOLD
  let held = 0
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })
  const reader = makeEventReader({
    ...(maxFrameBytes !== undefined && { maxFrameBytes }),
    onFrame: (text, start, end) => {
      // A comment says nothing, however many come.
      if (result.type !== "hold" || text.startsWith(":", start)) return
      result = judge(text.slice(start, end))
      if (result.type === "hold" && ++held > MAX_HELD_EVENTS) result = OUTPUT
    },
    onBody: (kind, body) => {
      result = { type: "failure", failure: kind === "html" ? HTML_BODY : readFailureBody(body) }
    },
  })
  return {
    feed: chunk => {
      reader.push(utf8.decode(chunk, { stream: true }))
      return result
    },
    end: () => {
      reader.end()
      if (result.type === "hold") result = { type: "failure", failure: STREAM_BREAK }
      return result
    },
  }
}

function judge(frame: string): ProbeResult {
  const parsed = parseFrame(frame, -1)
  if (parsed === undefined) return HOLD
  const { type, json: event } = parsed
  if (isLifecycle(type) || isPrivate(type) || type === "keepalive") return HOLD
  const response = objectAt(event, "response") ?? {}
  switch (terminalKindOf(type, stringAt(response, "status"))) {
    case "failed":
      return { type: "failure", failure: readFailureEvent(event) }
    case "completed":
      return (arrayAt(response, "output") ?? []).length === 0 ? { type: "empty" } : OUTPUT
    case "incomplete":
    case undefined:
      return OUTPUT
  }
}
