/** What a relay sends: stretches of the upstream's text as they stand, rewritten frames, and events of our own. */

import { findMember } from "#wire/json-scan.ts"
import { sseEvent } from "#wire/sse-writer.ts"

/** One frame of byte text; `end` is where its blank line begins. */
export type RelayFrame = {
  readonly text: string
  readonly start: number
  readonly end: number
  /** As in the splitter: where the data begins, or -1. */
  readonly dataAt: number
}

/** Collects byte text until {@link RelayOutput.take}. */
export type RelayOutput = {
  /** True when frames may pass unread: no number in them has to change. */
  readonly passesUnread: () => boolean
  readonly pass: (text: string, start: number, end: number) => void
  /** As `pass` and `take` for a text that is one frame: the caller sends it, and this remembers that. */
  readonly passWhole: (text: string) => void
  /** Sends an upstream event. It passes as it stands when neither type, data nor number changed. */
  readonly forward: (frame: RelayFrame, type: string, data: string) => void
  /** Sends an event of our own with the next sequence number. */
  readonly synthesise: (type: string, dataOf: (sequence: number) => string) => void
  readonly raw: (text: string) => void
  readonly take: () => string
  /** Starts or stops keeping a copy of what is sent; stopping forgets it. */
  readonly keepCopy: (keep: boolean) => void
  /** The copy, or undefined when it is off or outgrew its bound. */
  readonly copy: () => string | undefined
}

/** Longest copy of an unfinished message. Beyond it a lost final item is not rebuilt. */
const MAX_COPY_BYTES = 1024 * 1024

type State = {
  out: string
  runText: string
  runStart: number
  runEnd: number
  /** Added to upstream numbers since we have sent events of our own. */
  shift: number
  /** The next upstream number has to be compared with ours. */
  mustCompare: boolean
  lastSent: number
  /** Last frame that passed unread; its number is read only when one of ours follows. */
  unread: RelayFrame | undefined
  copies: string[] | undefined
  copiedBytes: number
}

/** Makes the output of one relay. */
export function makeRelayOutput(): RelayOutput {
  const state: State = {
    out: "",
    runText: "",
    runStart: 0,
    runEnd: 0,
    shift: 0,
    mustCompare: false,
    lastSent: -1,
    unread: undefined,
    copies: undefined,
    copiedBytes: 0,
  }
  return {
    passesUnread: () => state.shift === 0 && !state.mustCompare,
    pass: (text, start, end) => pass(state, { text, start, end, dataAt: -1 }),
    passWhole: text => {
      state.unread = { text, start: 0, end: text.length - 2, dataAt: -1 }
      keep(state, text)
    },
    forward: (frame, type, data) => forward(state, frame, { type, data }),
    synthesise: (type, dataOf) => {
      const sequence = lastSequence(state) + 1
      state.lastSent = sequence
      state.mustCompare = true
      write(state, sseEvent(type, dataOf(sequence)))
    },
    raw: text => write(state, text),
    take: () => {
      flushRun(state)
      const out = state.out
      state.out = ""
      return out
    },
    keepCopy: keep => {
      if (keep === (state.copies !== undefined)) return
      flushRun(state)
      state.copies = keep ? [] : undefined
      state.copiedBytes = 0
    },
    copy: () => {
      flushRun(state)
      return state.copies === undefined || state.copiedBytes > MAX_COPY_BYTES ? undefined : state.copies.join("")
    },
  }
}

/** Extends the current run when the frame follows it directly: a whole chunk then leaves as the very same text. */
function pass(state: State, frame: RelayFrame): void {
  const after = frame.end + 2
  state.unread = frame
  if (frame.start === state.runEnd && frame.text === state.runText) {
    state.runEnd = after
    return
  }
  flushRun(state)
  state.runText = frame.text
  state.runStart = frame.start
  state.runEnd = after
}

function flushRun(state: State): void {
  const { runText, runStart, runEnd } = state
  state.runText = ""
  state.runStart = 0
  state.runEnd = 0
  if (runEnd > runStart) append(state, runEnd - runStart === runText.length ? runText : runText.slice(runStart, runEnd))
}

function append(state: State, text: string): void {
  state.out = state.out === "" ? text : state.out + text
  keep(state, text)
}

function keep(state: State, text: string): void {
  if (state.copies === undefined) return
  state.copiedBytes += text.length
  if (state.copiedBytes <= MAX_COPY_BYTES) state.copies.push(text)
  else state.copies.length = 0
}

function write(state: State, text: string): void {
  flushRun(state)
  append(state, text)
}

function forward(state: State, frame: RelayFrame, event: { readonly type: string; readonly data: string }): void {
  const data = renumber(state, event.data)
  const head = `event: ${event.type}\ndata: `
  const isCanonical = frame.dataAt === frame.start + head.length && frame.text.startsWith(head, frame.start)
  const isUntouched = isCanonical && frame.text.startsWith(data, frame.dataAt)
  // The blank line may be missing at the very end of a body.
  if (isUntouched && frame.end - frame.dataAt === data.length && frame.text.length >= frame.end + 2) {
    pass(state, frame)
    state.unread = undefined
  } else write(state, `${head}${data}\n\n`)
}

/** Keeps numbers rising: an upstream number that we have overtaken is moved up, and all later ones with it. */
function renumber(state: State, data: string): string {
  const range = findMember(data, { start: 0, end: data.length }, "sequence_number")
  if (range === undefined) return data
  const number = Number(data.slice(range.start, range.end))
  if (!Number.isInteger(number)) return data
  const last = lastSequence(state)
  if (state.mustCompare && number + state.shift <= last) state.shift = last + 1 - number
  state.mustCompare = false
  state.lastSent = number + state.shift
  return state.shift === 0 ? data : data.slice(0, range.start) + String(state.lastSent) + data.slice(range.end)
}

function lastSequence(state: State): number {
  if (state.unread !== undefined) {
    const { text, start, end } = state.unread
    const range = findMember(text, { start: text.indexOf("{", start), end }, "sequence_number")
    state.unread = undefined
    if (range !== undefined) state.lastSent = Number(text.slice(range.start, range.end)) + state.shift
  }
  return state.lastSent
}
