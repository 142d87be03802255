/** One request that a relay carries, as the owner sees it: the port through which a turn has its attempts made. */

import { GatewayError } from "#core/errors.ts"
import type { CarriedRequest, UpstreamReply } from "#core/upstream.ts"
import type { AttemptLane, CarriedAttempt, CarriedNote, Carrier, LaneOrder } from "#gateway/turn/carrier.ts"
import type { HeldHead } from "#gateway/turn/hold.ts"
import type { RequestEnd } from "#gateway/turn/settle.ts"
import { thrownBy } from "#relay/fault.ts"
import { type FrozenError, freezeError, thawError } from "#relay/frozen-error.ts"
import { type HeadResult, type Post, type RequestMessage, type RequestOrder, readHeaders } from "#relay/messages.ts"

/** What a carried call is made of. */
export type CarriedCallParts = {
  readonly id: number
  /** Reaches the relay that has the client. */
  readonly post: Post<RequestOrder>
  /** Pages of other sites may read the answer. */
  readonly crossOrigin: () => boolean
}

/** The words about an attempt or an answer. */
export type CallMessage = Extract<RequestMessage, { type: "unsent" | "refused" | "begun" | "notes" | "ended" }>

type Pending = { readonly resolve: (reply: UpstreamReply) => void; readonly reject: (cause: unknown) => void }
type Head = { readonly heardAtMs: number; readonly result: HeadResult }

/** A carried call: it is open until the relay says that its client has got everything, or the relay itself is gone. */
export class CarriedCall implements Carrier {
  readonly #parts: CarriedCallParts
  readonly #ended = Promise.withResolvers<RequestEnd>()
  readonly #notes: CarriedNote[] = []
  #tell: ((note: CarriedNote) => void) | undefined
  #attempts = 0
  #pending: Pending | undefined
  #head: Head | undefined
  #followed: AbortSignal | undefined
  #isServed = false
  #isOver = false

  constructor(parts: CarriedCallParts) {
    this.#parts = parts
  }

  /** The relay serves the answer: the owner has none to send. */
  get isServed(): boolean {
    return this.#isServed
  }

  get ended(): Promise<RequestEnd> {
    return this.#ended.promise
  }

  begin(lane: AttemptLane): CarriedAttempt {
    this.#attempts += 1
    const attempt = this.#attempts
    const { id, post } = this.#parts
    return {
      carry: (request, signal) => this.#carry(lane, request, signal),
      heardAtMs: () => this.#head?.heardAtMs ?? lane.startedAtMs,
      head: body => readHead(body, this.#head?.result),
      accept: () => {
        this.#isServed = true
        if (this.#head?.result.type === "empty") post({ type: "accept", id, attempt })
      },
    }
  }

  greet(lane: LaneOrder): void {
    const { id, post, crossOrigin } = this.#parts
    this.#isServed = true
    post({ type: "greet", id, lane, crossOrigin: crossOrigin() })
  }

  fail(error: GatewayError): void {
    const { id, post } = this.#parts
    if (!this.#isOver) post({ type: "fail", id, error: freezeError(error) })
  }

  onNote(listener: (note: CarriedNote) => void): void {
    this.#tell = listener
    for (const note of this.#notes.splice(0)) listener(note)
  }

  /** Takes what the relay says. */
  hear(message: CallMessage): void {
    if (message.type === "notes") this.#addNotes(message.notes)
    else if (message.type === "ended") this.#hearEnd(message)
    else this.#hearReply(message)
  }

  /** Ends it when the relay itself has ended. */
  lose(error: GatewayError): void {
    this.#isServed = true
    this.#end({ status: error.status, error })
  }

  #hearEnd({ notes, end }: Extract<CallMessage, { type: "ended" }>): void {
    this.#addNotes(notes)
    const { error, ...rest } = end
    this.#end({ ...rest, ...(error !== undefined && { error: thawError(error) }) })
  }

  #hearReply(message: Replied | Extract<CallMessage, { type: "unsent" }>): void {
    const pending = this.#pending
    // An attempt may have been given up in the meantime.
    if (message.attempt !== this.#attempts || pending === undefined) return
    this.#pending = undefined
    if (message.type === "begun") this.#head = message
    if (message.type === "unsent") pending.reject(thrownBy(message.fault))
    else pending.resolve(replyOf(message, () => this.#drop(message.attempt)))
  }

  #carry(lane: AttemptLane, request: CarriedRequest, signal: AbortSignal): Promise<UpstreamReply> {
    if (signal.aborted || this.#isOver) return Promise.reject(signal.reason)
    this.#follow(signal)
    this.#head = undefined
    const { id, post, crossOrigin } = this.#parts
    const { body: text, ...rest } = request
    const body = text === undefined ? undefined : new TextEncoder().encode(text)
    const order = { type: "attempt", id, attempt: this.#attempts, request: { ...rest, body }, lane } as const
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject }
      post({ ...order, crossOrigin: crossOrigin() }, body === undefined ? [] : [body.buffer])
    })
  }

  /** The whole request has one signal, whichever attempt it is about. */
  #follow(signal: AbortSignal): void {
    if (this.#followed === signal) return
    this.#followed = signal
    const { id, post } = this.#parts
    const onAbort = () => {
      if (!this.#isOver) post({ type: "abort", id, error: reasonOf(signal) })
      this.#pending?.reject(signal.reason)
      this.#pending = undefined
    }
    signal.addEventListener("abort", onAbort, { once: true })
    void this.ended.then(() => signal.removeEventListener("abort", onAbort))
  }

  #addNotes(more: readonly CarriedNote[]): void {
    if (this.#tell === undefined) this.#notes.push(...more)
    else for (const note of more) this.#tell(note)
  }

  #end(end: RequestEnd): void {
    this.#isOver = true
    this.#ended.resolve(end)
  }

  #drop(attempt: number): void {
    // Only an answer without output waits for a word; everything else was served, or given up, where it was read.
    if (this.#isOver || attempt !== this.#attempts || this.#head?.result.type !== "empty") return
    const { id, post } = this.#parts
    post({ type: "drop", id, attempt })
  }
}

function reasonOf(signal: AbortSignal): FrozenError {
  if (signal.reason instanceof GatewayError) return freezeError(signal.reason)
  return { kind: "cancelled", message: "The client went away." }
}

type Replied = Extract<CallMessage, { type: "refused" | "begun" }>

/** The reply as the transport knows one. The body of an answer that another thread reads is empty, and open until it is cancelled. */
function replyOf(message: Replied, drop: () => void): UpstreamReply {
  const headers = readHeaders(message.headers)
  if (message.type === "begun") {
    const body = new ReadableStream<Uint8Array>({ cancel: drop }, { highWaterMark: 0 })
    return { status: 200, headers, body }
  }
  const { status, text } = message
  return { status, headers, body: text === "" ? undefined : (new Response(text).body ?? undefined) }
}

function readHead(body: ReadableStream<Uint8Array>, result: HeadResult | undefined): HeldHead {
  if (result === undefined) throw new Error("the head was asked for before it was known")
  const reader = body.getReader()
  if (result.type !== "broken") return { reader, chunks: [], result }
  // Whoever counts what is on the way out waits for its end.
  reader.cancel().catch(() => {
    // Nothing is left to cancel.
  })
  throw thrownBy(result.fault)
}
