/** Reads HTTP/1.1 messages off a socket, for a load generator and an upstream that must cost less than what they measure. */

import type { Buffer } from "node:buffer"

/** Who gets the parts of each message, in order. */
export type MessageSink = {
  /** Everything before the blank line. */
  readonly head: (text: string) => void
  /** A piece of the body without its framing; valid during the call only. */
  readonly body: (bytes: Buffer) => void
  readonly end: () => void
}

/** Takes what the socket delivers, in pieces of any size. */
export type MessageReader = {
  readonly push: (bytes: Buffer) => void
  /** The other side closed; true when that ends a message properly. */
  readonly close: () => boolean
}

type Stage = "head" | "fixed" | "size" | "data" | "data-end" | "trailer" | "until-close"

type State = {
  readonly of: "requests" | "responses"
  readonly sink: MessageSink
  stage: Stage
  /** What is left of the body or of the chunk. */
  left: number
  /** An unfinished head or line. */
  rest: string
}

/** Makes a reader; a response without a length lasts until the close, a request without one has no body. */
export function makeMessageReader(of: State["of"], sink: MessageSink): MessageReader {
  const state: State = { of, sink, stage: "head", left: 0, rest: "" }
  return {
    push: bytes => {
      let at = 0
      while (at < bytes.length) at = step(state, bytes, at)
    },
    close: () => {
      if (state.stage !== "until-close") return state.stage === "head" && state.rest === ""
      finish(state)
      return true
    },
  }
}

function step(state: State, bytes: Buffer, at: number): number {
  switch (state.stage) {
    case "head":
      return readHead(state, bytes, at)
    case "fixed":
    case "data":
      return readBody(state, bytes, at)
    case "until-close":
      state.sink.body(bytes.subarray(at))
      return bytes.length
    case "size":
    case "data-end":
    case "trailer":
      return readLine(state, bytes, at)
  }
}

function readHead(state: State, bytes: Buffer, at: number): number {
  const carried = state.rest.length
  const text = state.rest + bytes.toString("latin1", at)
  const end = text.indexOf("\r\n\r\n", Math.max(0, carried - 3))
  if (end === -1) {
    state.rest = text
    return bytes.length
  }
  state.rest = ""
  const head = text.slice(0, end)
  state.sink.head(head)
  openBody(state, head)
  return at + end + 4 - carried
}

function openBody(state: State, head: string): void {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) state.stage = "size"
  else if (length !== undefined && length !== "0") {
    state.stage = "fixed"
    state.left = Number(length)
  } else if (length === undefined && state.of === "responses") state.stage = "until-close"
  else finish(state)
}

function readBody(state: State, bytes: Buffer, at: number): number {
  const end = Math.min(bytes.length, at + state.left)
  state.left -= end - at
  state.sink.body(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end))
  if (state.left === 0) {
    if (state.stage === "fixed") finish(state)
    else state.stage = "data-end"
  }
  return end
}

function readLine(state: State, bytes: Buffer, at: number): number {
  const end = bytes.indexOf(10, at)
  if (end === -1) {
    state.rest += bytes.toString("latin1", at)
    return bytes.length
  }
  const line = (state.rest + bytes.toString("latin1", at, end)).trimEnd()
  state.rest = ""
  if (state.stage === "data-end") state.stage = "size"
  else if (state.stage === "size") {
    state.left = Number.parseInt(line, 16)
    if (Number.isNaN(state.left)) throw new Error(`not the size of a chunk: ${line.slice(0, 40)}`)
    state.stage = state.left === 0 ? "trailer" : "data"
  } else if (line === "") finish(state)
  return end + 1
}

function finish(state: State): void {
  state.stage = "head"
  state.left = 0
  state.sink.end()
}
