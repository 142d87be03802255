/** One turn on a socket, from its frame to its last event, as the reply that HTTP would have brought. */

import type { GatewayError } from "#core/errors.ts"
import type { HeardFrame } from "#core/socket.ts"
import type { UpstreamReply } from "#core/upstream.ts"
import { brokenSocket } from "#transport/transport-error.ts"
import { encodeUtf8 } from "#wire/bytes.ts"

/** How a turn began. */
export type TurnStart =
  | { readonly type: "reply"; readonly reply: UpstreamReply }
  /** The upstream has not taken it, and it may be asked again: on a new socket, or over HTTP for its size. */
  | { readonly type: "again" | "too-large" }

/** What a turn needs of the socket under it. */
export type TurnHost = {
  /** The answer piles up, or is wanted again. */
  readonly pause: () => void
  readonly resume: () => void
  /** Nobody wants the rest: the socket must not be used again. */
  readonly abandon: () => void
}

/** A running turn; the socket tells it what happens. */
export type SocketTurn = {
  /** Rejects with `upstream-unavailable` when the socket broke before any answer, or with the reason it was aborted for. */
  readonly start: Promise<TurnStart>
  readonly hear: (frame: Exclude<HeardFrame, { type: "doubt" }>) => void
  /** The connection ended, with its close code. */
  readonly close: (code: number) => void
  readonly abort: (reason: GatewayError) => void
}

/** Characters of an answer that may wait for their reader before the socket is read no further. */
const MAX_PENDING_CHARACTERS = 256 * 1024

/** Close code of a server that takes no frame of this size. */
const TOO_LARGE_CODE = 1009
/** Close code that stands for an end without a close frame (RFC 6455 §7.4.1). */
const ABNORMAL_CODE = 1006

/** Makes a turn whose frame is about to be sent. */
export function makeSocketTurn(host: TurnHost): SocketTurn {
  return new RunningTurn(host)
}

class RunningTurn implements SocketTurn {
  readonly start: Promise<TurnStart>
  readonly #host: TurnHost
  readonly #begin = Promise.withResolvers<TurnStart>()
  /** What came before the answer's first event and speaks of the account. */
  #headers: Record<string, string> = {}
  /** Something came for it: the upstream has taken it. */
  #isHeard = false
  #hasBegun = false
  #pending = ""
  #isPaused = false
  #isWaking = false
  #isOver = false
  #failure: GatewayError | undefined
  #wake = () => {}

  constructor(host: TurnHost) {
    this.#host = host
    this.start = this.#begin.promise
    // Whoever aborted it does not wait for it any more.
    this.start.catch(() => {})
  }

  hear(frame: Exclude<HeardFrame, { type: "doubt" }>): void {
    if (this.#isOver) return
    this.#isHeard = true
    if (frame.type === "aside" && !this.#hasBegun) this.#headers = { ...this.#headers, ...frame.headers }
    if (frame.type === "refusal" && !this.#hasBegun) {
      this.#refuse(frame)
      return
    }
    this.#pending += frame.sse
    if (frame.type !== "aside") this.#answer()
    if (frame.type === "end" || frame.type === "refusal") this.#isOver = true
    else if (this.#pending.length > MAX_PENDING_CHARACTERS) this.#pauseSocket()
    this.#wakeSoon()
  }

  /**
   * Frames that came in one read of the socket are told one by one, in one turn of the event loop. Waking the reader behind
   * all of them makes one chunk of them, as over HTTP: measured with 20 streams, 3.8 instead of 6.3 µs of CPU an event.
   */
  #wakeSoon(): void {
    if (this.#isWaking) return
    this.#isWaking = true
    setImmediate(() => {
      this.#isWaking = false
      this.#wake()
    })
  }

  close(code: number): void {
    if (this.#isOver) return
    this.#isOver = true
    if (!this.#hasBegun) {
      if (code === TOO_LARGE_CODE && !this.#isHeard) this.#begin.resolve({ type: "too-large" })
      else this.#begin.reject(brokenSocket("headers", code))
      return
    }
    // A close frame ends the answer as the end of a body does: what is missing then is the reader's to say.
    if (code === ABNORMAL_CODE) this.#failure = brokenSocket("body", code)
    this.#wake()
  }

  abort(reason: GatewayError): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#failure = reason
    this.#pending = ""
    this.#begin.reject(reason)
    this.#wake()
  }

  #refuse(refusal: Extract<HeardFrame, { type: "refusal" }>): void {
    this.#isOver = true
    if (refusal.isStale) {
      this.#begin.resolve({ type: "again" })
      return
    }
    const headers = new Headers({ ...this.#headers, ...refusal.headers, "content-type": "application/json" })
    const { body } = new Response(refusal.body)
    this.#begin.resolve({ type: "reply", reply: { status: refusal.status, headers, body: body ?? undefined } })
  }

  #answer(): void {
    if (this.#hasBegun) return
    this.#hasBegun = true
    const headers = new Headers({ ...this.#headers, "content-type": "text/event-stream" })
    this.#begin.resolve({ type: "reply", reply: { status: 200, headers, body: this.#body() } })
  }

  /** Pull-driven; what arrived since the last pull goes out as one chunk. */
  #body(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: async controller => {
          // A wake may come late, for frames that an earlier pull has taken.
          while (this.#pending === "" && !this.#isOver) await this.#more()
          const chunk = this.#pending
          this.#pending = ""
          this.#resumeSocket()
          if (chunk !== "") controller.enqueue(encodeUtf8(chunk))
          else if (this.#failure !== undefined) controller.error(this.#failure)
          else if (this.#isOver) controller.close()
        },
        cancel: () => {
          if (!this.#isOver) this.#host.abandon()
        },
      },
      { highWaterMark: 0 },
    )
  }

  #more(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }

  #pauseSocket(): void {
    if (this.#isPaused) return
    this.#isPaused = true
    this.#host.pause()
  }

  #resumeSocket(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#host.resume()
  }
}
