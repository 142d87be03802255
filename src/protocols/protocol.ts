/** The two contracts of a dialect: what it does for clients, and what it does when an upstream speaks it. */

import type { Clock } from "#core/clock.ts"
import type { GatewayError } from "#core/errors.ts"
import type { EmitEvent, StreamEvent, Usage } from "#core/events.ts"
import type { ProtocolId, RequestId } from "#core/ids.ts"
import type { JsonObject } from "#core/json.ts"
import type { ModelInfo } from "#core/model-info.ts"
import type { ClientCall, ModelRequest, ReplyOptions } from "#core/request.ts"
import type { RequestRules, UpstreamFailure } from "#core/upstream.ts"

/** What an answer's encoder needs besides the events. */
export type ReplyContext = {
  readonly requestId: RequestId
  /** The model name the client asked for; the answer carries it in every chunk. */
  readonly model: string
  /** Seconds since the epoch, used when the upstream states no creation time. */
  readonly nowSec: number
  /** For dialects that put the time, or how long it took, into the answer. */
  readonly clock: Clock
  /** When the request came in. */
  readonly startedAtMs: number
  /** Upstream tool name → the client's own name, for names that had to be shortened. */
  readonly toolNames: ReadonlyMap<string, string>
  readonly reply: ReplyOptions
  /** A quick estimate of the request's size, for dialects that state it before the upstream does. */
  readonly estimateInputTokens: () => number
  /** Mark of the account and model that answer; see `NativeItem.origin`. Absent before an attempt is committed to. */
  readonly origin?: string
}

/** Turns neutral events into a client's stream. Synchronous; one per answer. */
export type StreamEncoder = {
  /** Returns the client's text for one event, "" when the event has no form in this dialect. */
  readonly encode: (event: StreamEvent) => string
  /** Returns what keeps a silent connection alive in this dialect at this point of the stream. */
  readonly keepAlive: () => string
}

/** Folds the same events into the answer of a client that does not stream. */
export type Folder = {
  readonly add: (event: StreamEvent) => void
  /** Returns the JSON body. Throws the `GatewayError` of an `error` event, or `upstream-protocol` when unfinished. */
  readonly finish: () => string
}

/** An HTTP error in a dialect's envelope. */
export type ErrorReply = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** How answers are written in a dialect from neutral events. */
export type AnswerEncoding = {
  readonly makeEncoder: (context: ReplyContext) => StreamEncoder
  readonly makeFolder: (context: ReplyContext) => Folder
}

/** A dialect that clients speak to us. */
export type ClientProtocol = {
  readonly id: ProtocolId
  /** Throws `GatewayError` `invalid-request` with `param` in the client's own spelling. */
  readonly decodeRequest: (call: ClientCall) => ModelRequest
  readonly encodeError: (error: GatewayError, requestId: RequestId) => ErrorReply
  /** Response header that repeats the request id, besides `x-request-id`. */
  readonly requestIdHeader?: string
  /** Absent where every upstream speaks this dialect too: its answers are relayed. */
  readonly encoding?: AnswerEncoding
}

/** Turns upstream bytes into neutral events. Synchronous; accepts any chunk border. */
export type StreamDecoder = {
  readonly feed: (chunk: Uint8Array) => void
  /** The upstream closed. Emits `error` (`upstream-protocol`, code `upstream_stream_break`) when no terminal event was seen. */
  readonly end: () => void
}

/** What reading an answer needs besides its bytes. */
export type AnswerParts = {
  /** The provider's: it knows what the upstream's codes mean. */
  readonly readFailure: (failure: UpstreamFailure) => GatewayError
  /**
   * Names of the tools the request offered, as the upstream knows them. Absent = unknown: then a call to a tool that
   * merely looks undeclared is handed on as it is.
   */
  readonly declaredTools?: ReadonlySet<string>
  /** Most that is kept of one unfinished frame. */
  readonly maxFrameBytes?: number
  /** Told the encrypted text of each finished item: only the account that made it can read it. May be told twice. */
  readonly noteOpaque?: (text: string) => void
  /** Told the whole response object as JSON text once the answer has ended well, where the client's dialect has one. */
  readonly noteResponse?: (response: string) => void
  /** Told each event in which the upstream speaks about itself: quota, turn state. Never an event of the answer. */
  readonly noteAside?: (event: JsonObject) => void
}

/** Parts a decoder needs. */
export type DecoderParts = AnswerParts & { readonly emit: EmitEvent }

/** What an observer has seen of an answer so far. */
export type AnswerState = {
  /** A terminal event has passed; whatever follows is not sent. */
  readonly finished: boolean
  /** Set when the terminal event was a failure. */
  readonly error?: GatewayError
  readonly usage?: Usage
  readonly upstreamModel?: string
  readonly serviceTier?: string
}

/** Upstream chunk in, client bytes out: the relay lane, and decoder + encoder joined in the transcode lane. */
export type StreamPipe = {
  /** Returns what to send now; an empty array when nothing is ready. Untouched chunks are returned as they came. */
  readonly feed: (chunk: Uint8Array) => Uint8Array
  /** The upstream closed: returns the last bytes (a failure event when no terminal event was seen). */
  readonly end: () => Uint8Array
  /** Returns the dialect's in-stream failure for an error that did not come from the upstream. */
  readonly fail: (error: GatewayError) => Uint8Array
  readonly keepAlive: () => Uint8Array
  readonly state: () => AnswerState
}

/** Upstream chunks in, one JSON body out. */
export type Collector = {
  readonly feed: (chunk: Uint8Array) => void
  /** Returns the JSON body. Throws `GatewayError` when the answer failed or broke off. */
  readonly finish: () => string
  readonly state: () => AnswerState
}

/** What the first events of an answer came to, before anything has been sent to the client. */
export type ProbeResult =
  | { readonly type: "hold" }
  /** Real output follows: commit to this attempt. */
  | { readonly type: "output" }
  /** Completed without a single output item. */
  | { readonly type: "empty" }
  | { readonly type: "failure"; readonly failure: UpstreamFailure }

/** Reads the head of an answer. After anything but `hold` it must not be fed again. */
export type StreamProbe = {
  readonly feed: (chunk: Uint8Array) => ProbeResult
  /** The upstream closed while holding: always a failure. */
  readonly end: () => ProbeResult
}

/** What the plan decided about the request that goes upstream. */
export type EncodePlan = {
  /** Upstream slug. */
  readonly model: string
  readonly modelInfo?: ModelInfo
  readonly effort?: string
  /** `priority` or undefined. */
  readonly serviceTier?: string
  /** Already scoped to the principal; UUID-shaped. */
  readonly promptCacheKey?: string
  readonly rules: RequestRules
  /** Native items of another `NativeItem.origin` are dropped: this account cannot read them. */
  readonly origin?: string
  /** Drop everything encrypted that can be spared, which is all but compactions: it was refused. */
  readonly stripEncrypted: boolean
  /** Encrypted texts of other accounts; reasoning that carries one is dropped. */
  readonly foreignTexts?: ReadonlySet<string>
}

/** An upstream body and the names that were shortened in it. */
export type EncodedRequest = {
  readonly body: JsonObject
  /** Upstream name → client name. Empty when nothing was renamed. */
  readonly toolNames: ReadonlyMap<string, string>
}

/** What of a body costs tokens: texts that have to be counted, and tokens that are known without. */
export type RequestMeasure = { readonly texts: readonly string[]; readonly fixedTokens: number }

/** A dialect that upstreams speak to us. */
export type UpstreamProtocol = {
  readonly id: ProtocolId
  /** Pure and deterministic: the same request gives the same bytes. Throws `invalid-request`. */
  readonly encodeRequest: (request: ModelRequest, plan: EncodePlan) => EncodedRequest
  readonly measureRequest: (body: JsonObject) => RequestMeasure
  readonly makeDecoder: (parts: DecoderParts) => StreamDecoder
  readonly makeProbe: (limits?: Pick<AnswerParts, "maxFrameBytes">) => StreamProbe
  /** Lane 1: the client speaks this dialect too. */
  readonly makeRelay: (context: ReplyContext, parts: AnswerParts) => StreamPipe
  readonly makeRelayCollector: (context: ReplyContext, parts: AnswerParts) => Collector
}
