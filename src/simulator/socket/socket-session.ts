/** The life of one socket: turns one after the other, what they leave for the next, and its end by age. */

import { arrayAt, isJsonObject, type JsonObject } from "#core/json.ts"
import { pause } from "#simulator/delivery/stream-body.ts"
import { errorRefusal } from "#simulator/refusal.ts"

import { completedId, readCreateFrame } from "./create-frame.ts"
import { type FrameStep, frameSteps } from "./frame-steps.ts"
import type { SocketCaller } from "./header-twins.ts"
import { itemsOf, prepareTurn } from "./socket-turn.ts"
import type { OpenSocket } from "./sockets.ts"
import type { SocketSession, Wire } from "./wire.ts"
import { wrappedError } from "./wrapped-error.ts"

const TERMINAL = /^\{"type":"response\.(completed|done|incomplete|failed|cancelled)"/
const BUSY = "Another response is in progress on this connection."
const AGED = "Responses websocket connection limit reached (60 minutes). Create a new websocket connection to continue."

/** Makes a session for an accepted handshake. `path` is where it came in. */
export function makeSocketSession(caller: SocketCaller, path: string): SocketSession {
  return new Session(caller, path)
}

class Session implements SocketSession {
  readonly #caller: SocketCaller
  readonly #path: string
  readonly #gone = new AbortController()
  readonly #kept = new Map<string, readonly JsonObject[]>()
  readonly #book: OpenSocket
  #wire: Wire | undefined
  #turns = 0
  #isBusy = false
  #resume = () => {}

  constructor(caller: SocketCaller, path: string) {
    this.#caller = caller
    this.#path = path
    this.#book = {
      number: caller.world.sockets.nextNumber(),
      account: caller.account.name,
      openedAtMs: caller.world.clock(),
      turns: () => this.#turns,
      close: code => this.#end(code),
    }
  }

  opened(wire: Wire): void {
    this.#wire = wire
    this.#caller.world.sockets.add(this.#book)
  }

  drained(): void {
    this.#resume()
  }

  closed(): void {
    this.#gone.abort()
    this.#resume()
    this.#caller.world.sockets.remove(this.#book)
  }

  message(data: string | Buffer): void {
    if (typeof data !== "string") this.#end(1003)
    else if (this.#isBusy) this.#refuse(BUSY, "response_in_progress")
    else if (this.#isAged()) {
      this.#refuse(AGED, "websocket_connection_limit_reached")
      this.#end(1000)
    } else this.#begin(data)
  }

  #isAged(): boolean {
    const { world } = this.#caller
    return world.clock() - this.#book.openedAtMs >= world.rules().socketLifetimeSec * 1000
  }

  #begin(data: string): void {
    this.#isBusy = true
    this.#turns += 1
    // A turn ends with its socket or with its last frame; nobody else waits for it.
    const number = this.#turns
    void this.#serve(data).finally(() => {
      if (this.#turns === number) this.#isBusy = false
    })
  }

  async #serve(text: string): Promise<void> {
    const { world, account } = this.#caller
    const record = world.recorder.open({
      method: "WS",
      path: this.#path,
      query: "",
      headers: Object.fromEntries(this.#caller.headers),
      account: account.name,
      socket: this.#book.number,
    })
    const frame = readCreateFrame(text, this.#kept)
    if ("refusal" in frame) return this.#sendRefusal(record, wrappedError(frame.refusal, {}))
    world.recorder.amend(record, { body: frame.sent })
    const prepared = await prepareTurn(frame, this.#caller, this.#gone.signal)
    if ("refusal" in prepared) {
      const { refusal, headers } = prepared
      // What comes with a 200 in place of a stream comes here as a frame that is no event.
      if (refusal.status < 400) return this.#send(refusal.body)
      return this.#sendRefusal(record, wrappedError(refusal, headers))
    }
    world.recorder.amend(record, { status: 200 })
    const { asides, events, settings } = prepared
    for (const aside of asides) await this.#send(JSON.stringify(aside))
    const terminal = events.at(-1)
    const id = terminal === undefined || settings.cut !== "none" ? undefined : completedId(terminal)
    const input = (arrayAt(frame.body, "input") ?? []).filter(isJsonObject)
    // Known before the last frame is out: a client that answers at once must find it.
    if (id !== undefined) this.#kept.set(id, [...input, ...itemsOf(events)])
    for (const step of frameSteps(events, settings)) await this.#take(step)
  }

  async #take(step: FrameStep): Promise<void> {
    const parts = { timers: this.#caller.world.timers, signal: this.#gone.signal }
    switch (step.type) {
      case "frame":
        return this.#send(step.text)
      case "wait":
        return pause(parts, step.delayMs)
      case "gate":
        return this.#caller.world.gates.wait(step.label, parts.signal)
      case "close":
        return this.#end(step.code)
    }
  }

  #sendRefusal(record: number, frame: JsonObject): Promise<void> {
    this.#caller.world.recorder.amend(record, { status: Number(frame["status"]) })
    return this.#send(JSON.stringify(frame))
  }

  #refuse(message: string, code: string): void {
    if (!this.#gone.signal.aborted) this.#wire?.send(JSON.stringify(wrappedError(errorRefusal({ message, code }), {})))
  }

  /** Nothing is written before the client has read what came before, as with a body. */
  async #send(text: string): Promise<void> {
    if (this.#gone.signal.aborted || this.#wire === undefined) return
    // Whoever has the last frame may ask again, whether or not this side has seen it leave.
    if (TERMINAL.test(text)) this.#isBusy = false
    if (this.#wire.send(text)) return
    await new Promise<void>(resolve => {
      this.#resume = resolve
    })
  }

  #end(code: number | undefined): void {
    if (this.#gone.signal.aborted) return
    if (code === undefined) this.#wire?.terminate()
    else this.#wire?.close(code, "The simulator closes on purpose.")
  }
}
