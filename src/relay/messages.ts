/** What the owner's thread and a relay thread tell each other. Everything here survives structured cloning. */

import type { CarriedRequest } from "#core/upstream.ts"
import type { AttemptLane, CarriedNote, LaneOrder } from "#gateway/turn/carrier.ts"
import type { RequestEnd } from "#gateway/turn/settle.ts"
import type { ProbeResult } from "#protocols/protocol.ts"

import type { FrozenError } from "./frozen-error.ts"

/** Headers in order, repeated names included. */
export type HeaderList = readonly (readonly [string, string])[]

/** What a relay has to know from its start on; sent again when it changes. */
export type RelaySettings = {
  readonly bodyTimeoutMs: number
  readonly maxBodyBytes: number
  /** Model turns are carried. False: the owner's sockets to the upstream carry them, and requests are passed on. */
  readonly carries: boolean
}

/** The body of a carried request. `follows`: in pieces of its own; a failure is told to the client in its dialect. */
export type CarriedBody =
  | { readonly type: "whole"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: "follows" }
  | { readonly type: "failed"; readonly error: FrozenError }

/** What the head of an answer came to; `broken` while it was held. */
export type HeadResult =
  | Exclude<ProbeResult, { readonly type: "hold" }>
  | { readonly type: "broken"; readonly fault: Fault }

/** What was thrown: an error of the catalogue, or one of the runtime with all that is read of it. */
export type Fault =
  | { readonly type: "known"; readonly error: FrozenError }
  | {
      readonly type: "runtime"
      readonly message: string
      readonly code: string | undefined
      /** Of a proxy's answer to a tunnel that it refused. */
      readonly refusal: { readonly status: number; readonly headers: HeaderList } | undefined
    }

/** A relay's words about one of its requests, named by `id`. */
export type RequestMessage = { readonly id: number } & (
  | {
      readonly type: "request"
      readonly method: string
      readonly url: string
      readonly headers: HeaderList
      readonly peer: string | undefined
      readonly body: CarriedBody
    }
  /** The next piece of a body that follows; without bytes its end, with an error its failure. */
  | { readonly type: "piece"; readonly bytes?: Uint8Array<ArrayBuffer>; readonly error?: FrozenError }
  /** The client has gone away. */
  | { readonly type: "gone" }
  /** The request could not be made. */
  | { readonly type: "unsent"; readonly attempt: number; readonly fault: Fault }
  /** The upstream answered something that is no answer. */
  | {
      readonly type: "refused"
      readonly attempt: number
      readonly status: number
      readonly headers: HeaderList
      readonly text: string
    }
  /** The head is known. After `output` the answer is on its way to the client already. */
  | {
      readonly type: "begun"
      readonly attempt: number
      readonly headers: HeaderList
      readonly heardAtMs: number
      readonly result: HeadResult
    }
  | { readonly type: "notes"; readonly notes: readonly CarriedNote[] }
  /** The client has got everything it will get. */
  | {
      readonly type: "ended"
      readonly end: Omit<RequestEnd, "error"> & { readonly error?: FrozenError }
      readonly notes: readonly CarriedNote[]
    }
)

/** From a relay to the owner. */
export type ToOwner =
  | { readonly type: "listening"; readonly port: number }
  | { readonly type: "failed"; readonly error: FrozenError }
  /** Nothing is left to finish. */
  | { readonly type: "drained" }
  | RequestMessage

/** The owner's words about one request. */
export type RequestOrder = { readonly id: number } & (
  | {
      readonly type: "answer"
      readonly status: number
      readonly headers: HeaderList
      readonly body: Uint8Array<ArrayBuffer>
    }
  | {
      readonly type: "attempt"
      readonly attempt: number
      readonly request: Omit<CarriedRequest, "body"> & { readonly body: Uint8Array<ArrayBuffer> | undefined }
      readonly lane: AttemptLane
      readonly crossOrigin: boolean
    }
  /** An answer without output is the one the client gets, or is given up. */
  | { readonly type: "accept" | "drop"; readonly attempt: number }
  | { readonly type: "greet"; readonly lane: LaneOrder; readonly crossOrigin: boolean }
  | { readonly type: "fail" | "abort"; readonly error: FrozenError }
  /** No more of the body is wanted. */
  | { readonly type: "enough" }
)

/** From the owner to a relay. */
export type ToRelay =
  | {
      readonly type: "start"
      readonly host: string
      readonly port: number
      /** Where the owner takes what is passed on. */
      readonly door: string
      readonly settings: RelaySettings
    }
  | { readonly type: "settings"; readonly settings: RelaySettings }
  /** Accept no more, finish what runs, then say so. */
  | { readonly type: "drain" }
  | RequestOrder

/** A message between threads as it is posted; what is in `transfer` is not copied. */
export type Post<Message> = (message: Message, transfer?: ArrayBuffer[]) => void

/** Reads headers into a list that can be sent. */
export function listHeaders(headers: Headers): HeaderList {
  return [...headers]
}

/** Reads the list again. */
export function readHeaders(list: HeaderList): Headers {
  const headers = new Headers()
  for (const [name, value] of list) headers.append(name, value)
  return headers
}
