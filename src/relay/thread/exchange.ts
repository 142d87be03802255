/** One carried request, from the client's side: it asks the owner once, does as it is told, and serves the answer. */

import { GatewayError } from "#core/errors.ts"
import type { CarriedNote } from "#gateway/turn/carrier.ts"
import type { RequestEnd } from "#gateway/turn/settle.ts"
import type { CommittedTurn } from "#gateway/turn/turn-types.ts"
import { freezeError, thawError } from "#relay/frozen-error.ts"
import { listHeaders, type Post, type RelaySettings, type RequestMessage, type RequestOrder } from "#relay/messages.ts"

import { type Lane, laneResponse, ownersResponse } from "./carried-response.ts"
import { carriedTurn } from "./carried-turn.ts"
import { type AttemptOrder, type AttemptOutcome, type AttemptParts, makeAttempt } from "./make-attempt.ts"
import { readCarriedBody, sendPieces } from "./read-carried-body.ts"
import { collectLane, openStream, type ServeLaneParts } from "./serve-lane.ts"

/** What exchanges have in common. */
export type ExchangeParts = AttemptParts &
  Pick<ServeLaneParts, "heartbeat"> & {
    readonly post: Post<RequestMessage>
    readonly settings: () => RelaySettings
  }

/** One request: its number, where it comes from, and what to do when nothing more is said about it. */
export type Asked = {
  readonly id: number
  readonly request: Request
  readonly peer: string | undefined
  readonly over: () => void
}

type Answer = NonNullable<AttemptOutcome["answer"]>

/** A running exchange: it holds the client, and the upstream's answer once there is one. */
export class Exchange {
  readonly #asked: Asked
  readonly #parts: ExchangeParts
  readonly #laneParts: ServeLaneParts
  readonly #abort = new AbortController()
  readonly #response = Promise.withResolvers<Response>()
  readonly #committed = Promise.withResolvers<CommittedTurn>()
  readonly #notes: CarriedNote[] = []
  #stopPieces = () => {}
  /** An answer without output, until the owner says what becomes of it. */
  #held: { readonly order: AttemptOrder; readonly answer: Answer } | undefined
  #isServing = false

  constructor(asked: Asked, parts: ExchangeParts) {
    this.#asked = asked
    this.#parts = parts
    this.#laneParts = { ...parts, abort: this.#abort, end: end => this.#end(end) }
    // Nobody waits for it unless an answer was begun.
    this.#committed.promise.catch(() => {})
    asked.request.signal.addEventListener("abort", this.#onGone, { once: true })
    void this.#ask()
  }

  get response(): Promise<Response> {
    return this.#response.promise
  }

  /** Does what the owner says. */
  obey(order: RequestOrder): void {
    switch (order.type) {
      case "attempt":
        // Neither part of it rejects.
        void this.#attempt(order)
        break
      case "accept":
        if (this.#held !== undefined) void this.#serve(this.#held.order, this.#held.answer)
        break
      case "drop":
        this.#drop()
        break
      case "greet":
        this.#isServing = true
        this.#stream(order, undefined)
        break
      case "fail":
        this.#committed.reject(thawError(order.error))
        break
      case "abort":
        this.#abort.abort(thawError(order.error))
        break
      case "enough":
        this.#stopPieces()
        break
      case "answer":
        // A late refusal of an answer that has begun is told inside of it.
        if (this.#isServing) break
        this.#response.resolve(ownersResponse(order))
        this.#close()
        break
    }
  }

  readonly #onGone = (): void => {
    this.#parts.post({ type: "gone", id: this.#asked.id })
    this.#abort.abort(new GatewayError("cancelled", "The client went away."))
  }

  async #ask(): Promise<void> {
    const { id, request, peer } = this.#asked
    const { post, settings, timers } = this.#parts
    const { method, url, headers } = request
    const body = await readCarriedBody(request, settings(), timers)
    const message = { type: "request", id, method, url, headers: listHeaders(headers), peer, body } as const
    post(message, body.type === "whole" ? [body.bytes.buffer] : [])
    if (body.type === "follows") this.#stopPieces = sendPieces(id, request, post)
  }

  async #attempt(order: AttemptOrder): Promise<void> {
    const { message, answer } = await makeAttempt(order, this.#abort.signal, this.#parts)
    this.#parts.post(message)
    if (answer === undefined) return
    if (answer.head.result.type === "empty") this.#held = { order, answer }
    else await this.#serve(order, answer)
  }

  async #serve(order: AttemptOrder, answer: Answer): Promise<void> {
    const { clock } = this.#parts
    const turn = carriedTurn(order.lane, answer, { clock, abort: this.#abort, note: note => this.#note(note) })
    const isGreeted = this.#isServing
    this.#isServing = true
    this.#committed.resolve(turn)
    if (isGreeted) return
    if (order.lane.stream) this.#stream(order, answer.headers)
    else this.#response.resolve(await collectLane(order, turn, this.#laneParts))
  }

  /** Without the upstream's headers the answer's own go out before there is an answer. */
  #stream(order: Lane, upstream: Headers | undefined): void {
    const parts = { ...this.#laneParts, isGreeting: upstream === undefined }
    const body = openStream(order.lane, this.#committed.promise, parts)
    this.#response.resolve(laneResponse(order, body, upstream))
  }

  #drop(): void {
    this.#held?.answer.head.reader.cancel().catch(() => {
      // Broken already: there is nothing to give back.
    })
    this.#held = undefined
  }

  #note(note: CarriedNote): void {
    this.#notes.push(note)
    // What the upstream says about itself is wanted while the answer runs; the rest can wait for its end.
    if (note.type !== "aside") return
    this.#parts.post({ type: "notes", id: this.#asked.id, notes: this.#notes.splice(0) })
  }

  #end({ error, ...rest }: RequestEnd): void {
    const end = { ...rest, ...(error !== undefined && { error: freezeError(error) }) }
    this.#parts.post({ type: "ended", id: this.#asked.id, end, notes: this.#notes.splice(0) })
    this.#close()
  }

  #close(): void {
    this.#asked.request.signal.removeEventListener("abort", this.#onGone)
    this.#asked.over()
  }
}
