/** Cuts an upstream body into event frames, and notices when the body is no event stream at all. */

import { type BodyKind, bodyKindOf } from "#wire/body-kind.ts"
import { makeSseSplitter, type OnSseFrame, type SkipAhead } from "#wire/sse-splitter.ts"

/** Longest JSON body that is read in place of a stream; it can only be an error. */
const MAX_BODY_CHARACTERS = 1024 * 1024

/** Who gets what was read. */
export type EventReaderParts = {
  readonly onFrame: OnSseFrame
  readonly skipAhead?: SkipAhead
  /** Most that is kept of one unfinished frame; the splitter has a bound of its own. */
  readonly maxFrameBytes?: number
  /** The body is a JSON text (given whole, at the end) or an HTML page (at once, text empty). Called at most once. */
  readonly onBody: (kind: "json" | "html", body: string) => void
}

/** Takes decoded text or byte text in pieces of any size. */
export type EventReader = {
  /** Throws `upstream-protocol` when an event is larger than the splitter's bound. */
  readonly push: (text: string) => void
  /** The text of the unfinished frame. */
  readonly rest: () => string
  /** The upstream closed: hands out the unfinished frame or the JSON body. */
  readonly end: () => void
}

/** Makes a reader for one answer. */
export function makeEventReader({ onBody, ...frames }: EventReaderParts): EventReader {
  const splitter = makeSseSplitter(frames)
  let kind: BodyKind = "undecided"
  let head = ""
  const pushHead = (text: string) => {
    if (head.length < MAX_BODY_CHARACTERS) head += text
    if (kind !== "undecided") return
    kind = bodyKindOf(head)
    if (kind === "events") splitter.push(head)
    else if (kind === "html") onBody("html", "")
  }
  return {
    push: text => {
      if (kind === "events") splitter.push(text)
      else pushHead(text)
    },
    rest: splitter.rest,
    end: () => {
      if (kind === "events") splitter.end()
      else if (kind === "json") onBody("json", head)
    },
  }
}
