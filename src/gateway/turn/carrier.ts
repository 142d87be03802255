/** The port to a thread that holds a client's connection: it makes the attempts and serves the answer, and decides nothing. */

import type { GatewayError } from "#core/errors.ts"
import type { ProtocolId, ProviderId } from "#core/ids.ts"
import type { JsonObject } from "#core/json.ts"
import type { CarryUpstream, UpstreamFailure } from "#core/upstream.ts"
import type { ReplyContext } from "#protocols/protocol.ts"

import type { HeldHead } from "./hold.ts"
import type { RequestEnd } from "./settle.ts"

/** How an answer is to be written: plain data, for it crosses a border between threads. */
export type LaneOrder = {
  readonly protocol: ProtocolId
  readonly stream: boolean
  readonly context: Omit<ReplyContext, "clock" | "estimateInputTokens"> & { readonly inputTokens: number }
  /** As `StreamLimits` of the streaming lane. */
  readonly limits: { readonly idleTimeoutMs: number; readonly clientKeepaliveMs: number }
  /** The client may see the account's quota headers. */
  readonly exposesQuota: boolean
}

/** The lane of one attempt, with what reading its answer needs. */
export type AttemptLane = LaneOrder & {
  readonly startedAtMs: number
  readonly maxFrameBytes: number
  readonly declaredTools: ReadonlySet<string>
  /** Whether encrypted texts and the whole response are to be told. */
  readonly wants: { readonly opaque: boolean; readonly response: boolean }
  /** How a failure inside the answer is read. */
  readonly judge: {
    readonly provider: ProviderId
    readonly model: string
    readonly attempt: number
    readonly refreshed: boolean
    readonly limitTokens: number | undefined
  }
}

/** What the answer has said that concerns more than its client. Each is handed to the function of `AnswerParts` of that name. */
export type CarriedNote =
  | { readonly type: "aside"; readonly event: JsonObject }
  | { readonly type: "opaque"; readonly text: string }
  | { readonly type: "response"; readonly text: string }
  | { readonly type: "failure"; readonly failure: UpstreamFailure }

/** One attempt that is made elsewhere. */
export type CarriedAttempt = {
  /** Goes along with the request to whoever sends. */
  readonly carry: CarryUpstream
  /** When the last byte of the head came, milliseconds since the epoch. */
  readonly heardAtMs: () => number
  /** What the head of a 200 came to. Throws what broke it off. Its reader gives nothing; to cancel it is to give the attempt up. */
  readonly head: (body: ReadableStream<Uint8Array>) => HeldHead
  /** This answer is the one the client gets. */
  readonly accept: () => void
}

/** One request whose client is connected elsewhere. */
export type Carrier = {
  readonly begin: (lane: AttemptLane) => CarriedAttempt
  /** Has the headers sent now: no attempt has answered in time. */
  readonly greet: (lane: LaneOrder) => void
  /** Ends a greeted answer with a failure in the client's words. */
  readonly fail: (error: GatewayError) => void
  /** Calls back with each note, those that came before included. */
  readonly onNote: (listener: (note: CarriedNote) => void) => void
  /** Resolves when the client has got everything, or nothing will come any more; never rejects. */
  readonly ended: Promise<RequestEnd>
}

/** What a turn knows of its carrier. */
export type Carriage = Pick<LaneOrder, "limits" | "exposesQuota"> & { readonly carrier: Carrier }
