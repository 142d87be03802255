/** Cuts Server-Sent Events text into frames at any chunk border, in linear time and bounded memory. */

import { GatewayError } from "#core/errors.ts"

/** Longest frame that is buffered: base64 images and echoed tools make single events of many MiB. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024

const LINE_FEED = 10
const SPACE = 32

/**
 * Receives one frame: `text.slice(start, end)` without its blank line, which stands at `text.slice(end, end + 2)`.
 * `dataAt` is where the data begins when it is the last line and only an `event:` line stands before it,
 * otherwise -1: then use {@link readSseFrame}.
 */
export type OnSseFrame = (text: string, start: number, end: number, dataAt: number) => void

/**
 * A short cut for frames that look like ones seen before: gets the start of a frame and returns where the next one
 * starts when it has taken the frame, otherwise the same index. It must leave a frame that is not whole.
 */
export type SkipAhead = (text: string, start: number) => number

/** Takes text (or byte text) in pieces of any size and hands out whole frames, synchronously. */
export type SseSplitter = {
  /** Throws `upstream-protocol` when a frame grows over the bound. */
  readonly push: (text: string) => void
  /** The text of the unfinished frame. */
  readonly rest: () => string
  /** Hands out the unfinished frame: some servers close without the last blank line. */
  readonly end: () => void
}

/** Who gets the frames; a bound other than {@link MAX_FRAME_BYTES} is for tests. */
export type SseSplitterParts = {
  readonly onFrame: OnSseFrame
  readonly skipAhead?: SkipAhead
  readonly maxFrameBytes?: number
}

type State = {
  readonly onFrame: OnSseFrame
  readonly skipAhead: SkipAhead | undefined
  readonly maxFrameBytes: number
  carry: string
  /** Kept beside `carry` because reading its last character would flatten the rope on every chunk. */
  carryEndsLine: boolean
  /** The last chunk ended in CR: an LF at the start of the next one belongs to it. */
  skipLineFeed: boolean
  atStart: boolean
  lines: number
  lastLine: number
}

/**
 * Makes a splitter. Line ends are LF, CRLF or CR (WHATWG HTML §9.2.6); text with a CR is rewritten to LF first,
 * so that one scanner serves all three. Lengths count UTF-16 units, which never exceed the bytes received.
 */
export function makeSseSplitter({ onFrame, skipAhead, maxFrameBytes }: SseSplitterParts): SseSplitter {
  const state: State = {
    onFrame,
    skipAhead,
    maxFrameBytes: maxFrameBytes ?? MAX_FRAME_BYTES,
    carry: "",
    carryEndsLine: false,
    skipLineFeed: false,
    atStart: true,
    lines: 0,
    lastLine: 0,
  }
  return {
    push: text => push(state, text),
    rest: () => state.carry,
    end: () => push(state, "\n\n"),
  }
}

function push(state: State, chunk: string): void {
  if (chunk === "") return
  const text = state.skipLineFeed || chunk.includes("\r") ? normalizeLineEnds(state, chunk) : chunk
  let at = state.carry === "" ? 0 : completeCarried(state, text)
  for (;;) {
    while (text.charCodeAt(at) === LINE_FEED) at++
    at = skipKnown(state, text, at)
    const end = scanFrame(state, text, at)
    if (end === -1) break
    deliver(state, text, at, end)
    at = end + 2
  }
  if (at < text.length) carryOver(state, at === 0 ? text : text.slice(at))
}

function skipKnown({ skipAhead }: State, text: string, start: number): number {
  if (skipAhead === undefined) return start
  let at = start
  for (;;) {
    const next = skipAhead(text, at)
    if (next === at) return at
    at = next
  }
}

/** Rewrites CRLF and CR to LF, also when the pair is cut by a chunk border. */
function normalizeLineEnds(state: State, chunk: string): string {
  const text = state.skipLineFeed && chunk.charCodeAt(0) === LINE_FEED ? chunk.slice(1) : chunk
  state.skipLineFeed = text.endsWith("\r")
  return text.replaceAll("\r\n", "\n").replaceAll("\r", "\n")
}

/** Returns where the frame ends that starts at `start`, or -1; leaves its line count and last line in the state. */
function scanFrame(state: State, text: string, start: number): number {
  let line = start
  let lines = 0
  for (;;) {
    // One-character search runs vectorised; searching for the pair does not.
    const lineEnd = text.indexOf("\n", line)
    if (lineEnd === -1) return -1
    lines++
    if (text.charCodeAt(lineEnd + 1) === LINE_FEED) {
      state.lines = lines
      state.lastLine = line
      return lineEnd
    }
    line = lineEnd + 1
  }
}

/** Looks for the end of the carried frame; returns where the next frame starts in `text`. */
function completeCarried(state: State, text: string): number {
  const after = endOfCarried(state, text)
  if (after === -1) {
    carryOver(state, text)
    return text.length
  }
  const joined = state.carry + text.slice(0, after)
  state.carry = ""
  state.carryEndsLine = false
  deliver(state, joined, 0, scanFrame(state, joined, 0))
  return after
}

function endOfCarried(state: State, text: string): number {
  if (state.carryEndsLine && text.charCodeAt(0) === LINE_FEED) return 1
  let line = 0
  for (;;) {
    const lineEnd = text.indexOf("\n", line)
    if (lineEnd === -1) return -1
    if (text.charCodeAt(lineEnd + 1) === LINE_FEED) return lineEnd + 2
    line = lineEnd + 1
  }
}

function carryOver(state: State, text: string): void {
  if (text === "") return
  if (state.carry.length + text.length > state.maxFrameBytes) {
    throw new GatewayError("upstream-protocol", "The upstream sent an event that is too large.", {
      code: "upstream_event_too_large",
    })
  }
  state.carry += text
  state.carryEndsLine = text.endsWith("\n")
}

function deliver(state: State, text: string, start: number, end: number): void {
  const from = state.atStart ? start + byteOrderMarkLength(text, start) : start
  state.atStart = false
  state.onFrame(text, from, end, dataStart(state, text, from))
}

/** The mark is one unit in decoded text and three in byte text. */
function byteOrderMarkLength(text: string, start: number): number {
  if (text.startsWith("\uFEFF", start)) return 1
  return text.startsWith("\u00EF\u00BB\u00BF", start) ? 3 : 0
}

function dataStart(state: State, text: string, start: number): number {
  const line = state.lines === 1 ? start : state.lastLine
  if (state.lines > 2 || !text.startsWith("data:", line)) return -1
  if (state.lines === 2 && !text.startsWith("event:", start)) return -1
  return text.charCodeAt(line + 5) === SPACE ? line + 6 : line + 5
}

/** A frame's two fields that matter; both may be empty. */
export type SseFrame = { readonly event: string; readonly data: string }

/** Reads a frame of any form: comments and unknown fields are dropped, several data lines are joined with LF. */
export function readSseFrame(text: string): SseFrame {
  let event = ""
  const data: string[] = []
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":")
    if (colon === 0) continue
    const field = colon === -1 ? line : line.slice(0, colon)
    const raw = colon === -1 ? "" : line.slice(colon + 1)
    const value = raw.startsWith(" ") ? raw.slice(1) : raw
    if (field === "event") event = value
    else if (field === "data") data.push(value)
  }
  return { event, data: data.join("\n") }
}
