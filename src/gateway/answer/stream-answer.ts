/** The answer of a streaming request: pulled by the client, never faster than it reads, ended exactly once. */

import type { Clock, Timers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { readBodyError } from "#gateway/turn/body-error.ts"
import type { Settler } from "#gateway/turn/settle.ts"
import type { CommittedTurn } from "#gateway/turn/turn-types.ts"
import type { StreamPipe } from "#protocols/protocol.ts"

import { drainTail } from "./drain-tail.ts"
import { usageOf } from "./estimate-usage.ts"
import type { Heartbeat } from "./heartbeat.ts"

/** Limits of a running stream. */
export type StreamLimits = {
  /** Longest silence of the upstream. */
  readonly idleTimeoutMs: number
  /** Silence towards the client after which a keep-alive is sent. */
  readonly clientKeepaliveMs: number
}

/** What the stream is made of. */
export type StreamAnswerParts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly heartbeat: Heartbeat
  readonly limits: StreamLimits
  readonly settler: Settler
  /** Resolves when an attempt is committed to; may still be pending when the headers have gone out. */
  readonly committed: Promise<CommittedTurn>
  /** The headers go out before an attempt is committed to: the first byte must not wait for it. */
  readonly headersFirst: boolean
  readonly openPipe: (committed: CommittedTurn) => StreamPipe
  /** A pipe that only speaks failures: for a turn that fails after the headers have gone out. */
  readonly openFailurePipe: () => StreamPipe
  /** What keeps the connection alive before an attempt is committed to, in the client's dialect. */
  readonly waiting: () => Uint8Array
  readonly abort: AbortController
  /** The answer is whole. */
  readonly succeeded: (committed: CommittedTurn) => void
}

/** Longest time a client may leave data unread before its stream is given up. */
const STALLED_CLIENT_MS = 60_000

/**
 * Between a failure event and the reset: a reset makes the client's kernel throw away what it has not read yet, so
 * the event needs time to be read. A polite end instead would let several clients take the torso for the whole.
 */
const RESET_GRACE_MS = 100

type Controller = ReadableStreamDefaultController<Uint8Array>
type Read = Awaited<ReturnType<CommittedTurn["reader"]["read"]>>

/** What moves once an attempt is committed to. */
type Running = { readonly controller: Controller; readonly turn: CommittedTurn; readonly pipe: StreamPipe }

/** Makes the body of the client's response. */
export function makeAnswerStream(parts: StreamAnswerParts): ReadableStream<Uint8Array> {
  // No buffer of our own: without demand from the client nothing is read from the upstream.
  return new ReadableStream(new AnswerSource(parts), { highWaterMark: 0 })
}

/** A running answer: it holds a lease, an upstream connection and a place in the heartbeat until it ends. */
class AnswerSource implements UnderlyingDefaultSource<Uint8Array> {
  readonly #parts: StreamAnswerParts
  #running: Running | undefined
  #nextHeld = 0
  #heardBytes = 0
  #greeted = false
  #ended = false
  /** The client waits for bytes. */
  #pulling = false
  #lastSentMs: number
  #lastUpstreamMs: number
  #lastPullMs: number
  #stopBeats = () => {}

  constructor(parts: StreamAnswerParts) {
    this.#parts = parts
    this.#lastSentMs = parts.clock()
    this.#lastUpstreamMs = this.#lastSentMs
    this.#lastPullMs = this.#lastSentMs
  }

  start(controller: Controller): void {
    this.#stopBeats = this.#parts.heartbeat.add(nowMs => this.#beat(controller, nowMs))
  }

  /** A paced answer is pulled once an event and waits for one promise then: each further one costs about a microsecond. */
  pull(controller: Controller): Promise<void> | undefined {
    if (this.#ended) return undefined
    this.#pulling = true
    return this.#running === undefined ? this.#begin(controller) : this.#advance(this.#running)
  }

  cancel(): void {
    const error = new GatewayError("cancelled", "The client went away.")
    if (this.#end(error)) this.#parts.abort.abort(error)
  }

  async #begin(controller: Controller): Promise<void> {
    try {
      if (this.#parts.headersFirst && !this.#greeted) this.#greet(controller)
      const turn = await this.#parts.committed
      this.#running = { controller, turn, pipe: this.#parts.openPipe(turn) }
    } catch (cause) {
      this.#pullFailed(controller, cause)
      return
    }
    this.#lastUpstreamMs = this.#parts.clock()
    await this.#advance(this.#running)
  }

  /** Moves chunks until the client got something or the answer is over. */
  #advance(running: Running): Promise<void> | undefined {
    const { chunks, reader } = running.turn
    while (!this.#ended) {
      const held = chunks[this.#nextHeld]
      if (held === undefined) return reader.read().then(this.#onRead, this.#onReadFailure)
      this.#nextHeld += 1
      if (this.#gives(running, held, this.#parts.clock())) break
    }
    return this.#pulled(this.#parts.clock())
  }

  /** Made once a stream, not once an event. */
  readonly #onRead = ({ done, value }: Read): Promise<void> | undefined => {
    const running = this.#running
    const nowMs = this.#parts.clock()
    // The client may have left while the chunk was on its way.
    if (this.#ended || running === undefined) return this.#pulled(nowMs)
    this.#lastUpstreamMs = nowMs
    return this.#gives(running, done ? undefined : value, nowMs) ? this.#pulled(nowMs) : this.#advance(running)
  }

  readonly #onReadFailure = (cause: unknown): void => {
    if (this.#running !== undefined) this.#pullFailed(this.#running.controller, cause)
  }

  /** Feeds one chunk, or the upstream's end; true when this pull has nothing left to do. */
  #gives({ controller, turn, pipe }: Running, chunk: Uint8Array | undefined, nowMs: number): boolean {
    try {
      this.#heardBytes += chunk?.byteLength ?? 0
      const bytes = chunk === undefined ? pipe.end() : pipe.feed(chunk)
      this.#send(controller, bytes, nowMs)
      this.#closeIfOver(controller, turn, pipe)
      return bytes.byteLength > 0 || this.#ended
    } catch (cause) {
      this.#pullFailed(controller, cause)
      return true
    }
  }

  #pulled(nowMs: number): undefined {
    this.#pulling = false
    this.#lastPullMs = nowMs
  }

  #pullFailed(controller: Controller, cause: unknown): void {
    if (!this.#ended) this.#breakOff(controller, cause)
    this.#pulled(this.#parts.clock())
  }

  /** Bun holds the headers back until there is a byte of body. */
  #greet(controller: Controller): void {
    this.#greeted = true
    this.#lastSentMs = this.#parts.clock()
    controller.enqueue(this.#parts.waiting())
  }

  #closeIfOver(controller: Controller, turn: CommittedTurn, pipe: StreamPipe): void {
    const { error, finished } = pipe.state()
    if (error !== undefined) this.#fail(controller, error)
    else if (finished && this.#end()) {
      this.#parts.succeeded(turn)
      controller.close()
      drainTail(turn.reader, this.#parts.timers)
    }
  }

  #breakOff(controller: Controller, cause: unknown): void {
    const { abort, openFailurePipe } = this.#parts
    const error = readBodyError(cause, abort.signal)
    this.#send(controller, (this.#running?.pipe ?? openFailurePipe()).fail(error), this.#parts.clock())
    this.#fail(controller, error)
  }

  #fail(controller: Controller, error: GatewayError): void {
    if (!this.#end(error)) return
    this.#parts.abort.abort(error)
    this.#parts.timers.after(RESET_GRACE_MS, () => controller.error(error))
  }

  /** Settles the request; false when it was settled before. */
  #end(error?: GatewayError): boolean {
    if (this.#ended) return false
    this.#ended = true
    this.#stopBeats()
    this.#running?.turn.lease.release()
    // The client may leave before the first pull: the turn commits later then, and its lease must not stay out.
    this.#parts.committed.then(
      turn => turn.lease.release(),
      // A turn that failed has released its lease and its failure is this request's end.
      () => {},
    )
    this.#parts.settler.end({
      status: error?.status ?? 200,
      ...(error !== undefined && { error }),
      ...usageOf(this.#running?.pipe.state().usage, this.#running?.turn, this.#heardBytes),
    })
    return true
  }

  #send(controller: Controller, bytes: Uint8Array, nowMs: number): void {
    if (bytes.byteLength === 0) return
    this.#lastSentMs = nowMs
    this.#parts.settler.firstByte()
    controller.enqueue(bytes)
  }

  #beat(controller: Controller, nowMs: number): void {
    if (this.#ended) return
    if (!this.#pulling) {
      this.#checkReader(controller, nowMs)
      return
    }
    const { limits, abort } = this.#parts
    if (nowMs - this.#lastSentMs >= limits.clientKeepaliveMs) {
      this.#lastSentMs = nowMs
      controller.enqueue((this.#running?.pipe.keepAlive ?? this.#parts.waiting)())
    }
    if (this.#running !== undefined && nowMs - this.#lastUpstreamMs >= limits.idleTimeoutMs) {
      abort.abort(new GatewayError("timeout", "The upstream fell silent.", { code: "upstream_timeout" }))
    }
  }

  #checkReader(controller: Controller, nowMs: number): void {
    if (nowMs - this.#lastPullMs < STALLED_CLIENT_MS) return
    this.#fail(controller, new GatewayError("cancelled", "The client stopped reading."))
  }
}
