/** One connection of the load generator: sends a request, counts the events of the answer, and goes on or closes. */

import { Buffer } from "node:buffer"

import { makeMessageReader } from "./http-messages.ts"
import type { WireRequest } from "./load-plan.ts"
import { nameText, nowMicros, STAMP_DIGITS, STAMP_MARK, takeStamp } from "./marks.ts"
import { makeOutbox } from "./outbox.ts"

/** Who is told of what a connection sees; times in milliseconds. */
export type LoadEars = {
  readonly firstEvent: (ms: number) => void
  /** An event's way from the upstream's write to here. */
  readonly event: (ms: number | undefined) => void
  readonly bytes: (count: number) => void
  /** Returns the next request, or undefined to close. */
  readonly answered: (failure: string | undefined) => WireRequest | undefined
  /** The connection is gone in the middle of an answer, or could not be made. */
  readonly lost: (failure: string) => void
}

/** A name for the next conversation of this process. */
export type NextName = () => number

type State = {
  readonly ears: LoadEars
  readonly nextName: NextName
  request: WireRequest
  sentMicros: number
  seen: number
  status: string
  /** The end of the last piece: a mark may go over its edge. */
  tail: Buffer
  said: string
  isClosing: boolean
}

const MARK_LENGTH = STAMP_MARK.length + STAMP_DIGITS
const EMPTY = Buffer.alloc(0)
const templates = new Map<WireRequest, { readonly bytes: Buffer; readonly places: readonly number[] }>()

/** Opens a connection and sends `request`. */
export async function openConnection(
  port: number,
  request: WireRequest,
  parts: { ears: LoadEars; nextName: NextName },
) {
  const state: State = {
    ...parts,
    request,
    sentMicros: 0,
    seen: 0,
    status: "",
    tail: EMPTY,
    said: "",
    isClosing: false,
  }
  const { ears } = parts
  let send = () => {}
  let stop = () => {}
  let drain = () => {}
  const reader = makeMessageReader("responses", {
    head: text => {
      state.status = text.slice(9, 12)
      state.said = text
    },
    body: bytes => {
      ears.bytes(bytes.length)
      if (state.status === "200") countEvents(state, bytes)
      else state.said += bytes.toString("latin1")
    },
    end: () => {
      const next = ears.answered(failureOf(state))
      if (next === undefined) {
        state.isClosing = true
        stop()
        return
      }
      state.request = next
      send()
    },
  })
  await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: socket => {
        const outbox = makeOutbox(socket)
        drain = outbox.drain
        stop = () => socket.end()
        send = () => {
          state.seen = 0
          state.tail = EMPTY
          state.sentMicros = nowMicros()
          outbox.write(named(state.request, state.nextName()))
        }
        send()
      },
      data: (_, bytes) => reader.push(bytes),
      drain: () => drain(),
      close: () => {
        if (!(state.isClosing || reader.close())) ears.lost(`the connection was closed within an answer: ${state.said}`)
        else if (!state.isClosing) ears.lost("the connection was closed instead of an answer")
      },
      error: (_, error) => ears.lost(error.message),
      connectError: (_, error) => ears.lost(error.message),
    },
  })
}

/** The request's bytes with this conversation's name; shared, so to be written at once. */
function named(request: WireRequest, name: number): Buffer {
  let template = templates.get(request)
  if (template === undefined) {
    const bytes = Buffer.from(request.text)
    const places: number[] = []
    for (let at = bytes.indexOf(nameText(0)); at !== -1; at = bytes.indexOf(nameText(0), at + 1)) places.push(at)
    template = { bytes, places }
    templates.set(request, template)
  }
  for (const at of template.places) template.bytes.write(nameText(name), at, "latin1")
  return template.bytes
}

function countEvents(state: State, piece: Buffer): void {
  // After the last delta some dialects repeat the whole text.
  if (state.seen >= state.request.events) return
  const carried = state.tail.length
  const bytes = carried === 0 ? piece : Buffer.concat([state.tail, piece])
  let at = 0
  for (;;) {
    const mark = bytes.indexOf(STAMP_MARK, at)
    if (mark === -1 || mark + MARK_LENGTH > bytes.length) break
    at = mark + MARK_LENGTH
    noteEvent(state, takeStamp(bytes, mark + STAMP_MARK.length))
    if (state.seen >= state.request.events) {
      state.tail = EMPTY
      return
    }
  }
  state.tail = Buffer.from(bytes.subarray(Math.max(at, bytes.length - MARK_LENGTH + 1)))
}

function noteEvent(state: State, writtenMicros: number): void {
  const nowAt = nowMicros()
  if (state.seen === 0) state.ears.firstEvent((nowAt - state.sentMicros) / 1000)
  state.seen += 1
  state.ears.event(writtenMicros === 0 ? undefined : (nowAt - writtenMicros) / 1000)
}

function failureOf({ status, seen, request, said }: State): string | undefined {
  if (status !== "200") return said.slice(0, 600)
  return seen === request.events ? undefined : `${seen} of ${request.events} events came`
}
