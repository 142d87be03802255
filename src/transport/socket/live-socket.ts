/** One open socket: always read, one turn at a time, and gone for good at the first doubt. */

import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { SocketSpeaker, TurnText } from "#core/socket.ts"

import type { ClientSocket } from "./dial-socket.ts"
import { makeSocketTurn, type SocketTurn, type TurnStart } from "./socket-turn.ts"

/** What a live socket is made of. */
export type LiveSocketParts = {
  readonly socket: ClientSocket
  readonly speaker: SocketSpeaker
  readonly clock: Clock
  /** Told once that the socket is of no use any more, whoever ended it. */
  readonly onGone: () => void
}

/** An open socket. */
export type LiveSocket = {
  /** Keeps it for one turn, which has to follow; only an idle one can be kept. */
  readonly reserve: () => void
  /** Sends the turn it was kept for; `again` when it has closed meanwhile and nothing was sent. */
  readonly run: (turn: TurnText, signal: AbortSignal) => Promise<TurnStart>
  /** A turn runs on it, or it is kept for one. */
  readonly isBusy: () => boolean
  /** It could be kept for a turn. */
  readonly isIdle: () => boolean
  readonly openedAtMs: number
  /** When the last turn ended, or the socket opened. */
  readonly idleSinceMs: () => number
  /** Looks after the connection: a ping when one is due, the end when nothing is heard any more. */
  readonly tend: () => void
  /** Ends it with a close frame when it is idle, at once otherwise. */
  readonly close: () => void
}

/** Middle boxes forget connections that are silent for a minute. */
const PING_EVERY_MS = 25_000
/** Two and a half pings without a word. */
const DEAD_AFTER_MS = 62_500

const NORMAL_CLOSE = 1000
const OPEN_STATE = 1
const ABNORMAL_CODE = 1006

/** Takes a socket over. Its reader is attached here and stays: a socket that nobody reads looks alive. */
export function makeLiveSocket(parts: LiveSocketParts): LiveSocket {
  return new Live(parts)
}

class Live implements LiveSocket {
  readonly openedAtMs: number
  readonly #parts: LiveSocketParts
  #turn: SocketTurn | undefined
  #forgetSignal = () => {}
  #isReserved = false
  #isGone = false
  #isPaused = false
  #heardAtMs: number
  #pingedAtMs: number
  #idleSinceMs: number

  constructor(parts: LiveSocketParts) {
    this.#parts = parts
    this.openedAtMs = parts.clock()
    this.#heardAtMs = this.openedAtMs
    this.#pingedAtMs = this.openedAtMs
    this.#idleSinceMs = this.openedAtMs
    const { socket } = parts
    socket.onmessage = ({ data }) => this.#onMessage(data)
    socket.onclose = ({ code }) => this.#onClose(code)
    socket.addEventListener("pong", () => this.#heard())
    socket.addEventListener("ping", () => this.#heard())
  }

  isBusy(): boolean {
    return this.#turn !== undefined || this.#isReserved
  }

  isIdle(): boolean {
    return !this.isBusy() && this.#isOpen()
  }

  reserve(): void {
    this.#isReserved = true
  }

  idleSinceMs(): number {
    return this.#idleSinceMs
  }

  run(turn: TurnText, signal: AbortSignal): Promise<TurnStart> {
    this.#isReserved = false
    if (!this.#isOpen()) return Promise.resolve({ type: "again" })
    const { socket, speaker } = this.#parts
    const running = makeSocketTurn({
      pause: () => this.#pause(),
      resume: () => this.#resume(),
      abandon: () => this.#discard(),
    })
    this.#turn = running
    const onAbort = () => {
      running.abort(reasonOf(signal))
      this.#discard()
    }
    signal.addEventListener("abort", onAbort, { once: true })
    this.#forgetSignal = () => signal.removeEventListener("abort", onAbort)
    if (signal.aborted) onAbort()
    else socket.send(speaker.ask(turn))
    return running.start
  }

  tend(): void {
    // What is not read on purpose cannot be heard.
    if (this.#isPaused || !this.#isOpen()) return
    const nowMs = this.#parts.clock()
    if (nowMs - this.#heardAtMs >= DEAD_AFTER_MS) this.#discard()
    else if (nowMs - this.#pingedAtMs >= PING_EVERY_MS) {
      this.#pingedAtMs = nowMs
      this.#parts.socket.ping()
    }
  }

  close(): void {
    if (!this.isIdle()) {
      this.#discard()
      return
    }
    this.#leave()
    this.#parts.socket.close(NORMAL_CLOSE)
  }

  #isOpen(): boolean {
    return !this.#isGone && this.#parts.socket.readyState === OPEN_STATE
  }

  #onMessage(data: unknown): void {
    this.#heard()
    if (this.#isGone) return
    const frame = typeof data === "string" ? this.#parts.speaker.hear(data) : ({ type: "doubt" } as const)
    const turn = this.#turn
    if (frame.type === "doubt" || turn === undefined) {
      // Between turns only news about the account may come.
      if (frame.type !== "aside") this.#discard()
      return
    }
    const isLast = frame.type === "end" || frame.type === "refusal"
    // Freed before the reader learns of the end: its next turn must find the socket free.
    if (isLast) this.#endTurn()
    if (isLast && !(frame.type === "end" && frame.isWell)) this.#discard()
    turn.hear(frame)
  }

  #onClose(code: number): void {
    const turn = this.#turn
    this.#endTurn()
    this.#leave()
    turn?.close(code)
  }

  /** Breaks the connection off: whatever is still on its way reaches nobody. */
  #discard(): void {
    const turn = this.#turn
    this.#endTurn()
    this.#leave()
    this.#parts.socket.terminate()
    turn?.close(ABNORMAL_CODE)
  }

  #endTurn(): void {
    this.#turn = undefined
    this.#forgetSignal()
    this.#forgetSignal = () => {}
    this.#idleSinceMs = this.#parts.clock()
    this.#resume()
  }

  #leave(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#parts.onGone()
  }

  #heard(): void {
    this.#heardAtMs = this.#parts.clock()
  }

  #pause(): void {
    this.#isPaused = this.#parts.socket.pause()
  }

  #resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    // Nothing was heard in between because nothing was read.
    this.#heard()
    this.#parts.socket.resume()
  }
}

function reasonOf(signal: AbortSignal): GatewayError {
  if (signal.reason instanceof GatewayError) return signal.reason
  return new GatewayError("cancelled", "The client went away.")
}
