/** The neutral event alphabet between upstream decoders and client encoders. */

import type { GatewayError } from "./errors.ts"
import type { ProtocolId } from "./ids.ts"
import type { JsonObject, JsonText } from "./json.ts"

/** What only one dialect family understands (signature, encrypted reasoning, hosted tool). Others drop it. */
export type NativeItem = {
  readonly family: ProtocolId
  /** The item's JSON object as text, exactly as the upstream wrote it in its final form. */
  readonly json: string
  /** Opaque mark of whoever can read the item, where the client's dialect brings it back; absent = not known. */
  readonly origin?: string
}

/**
 * Token counts of one answer. `inputTokens` and `outputTokens` are inclusive totals:
 * `inputCachedTokens ≤ inputTokens`, `inputCacheWriteTokens ≤ inputTokens`, `reasoningTokens ≤ outputTokens`.
 */
export type Usage = {
  readonly inputTokens: number
  readonly inputCachedTokens: number
  readonly inputCacheWriteTokens?: number
  readonly outputTokens: number
  readonly reasoningTokens: number
}

/** Why the model stopped. `unstated` is an incomplete answer whose upstream does not say what cut it. */
export type FinishReason = "stop" | "tool-calls" | "length" | "content-filter" | "unstated"

/** Whether a tool's argument is JSON by schema (`function`) or free text (`custom`). */
export type ToolKind = "function" | "custom"

/** A quoted web source; offsets count characters (UTF-16 units) inside the message text of the same block. */
export type UrlCitation = {
  readonly url: string
  readonly title: string
  readonly startIndex: number
  readonly endIndex: number
}

/** How an image came out, in the upstream's words. */
export type ImageLook = {
  readonly size?: string
  readonly quality?: string
  readonly background?: string
  readonly revisedPrompt?: string
}

/**
 * One step of an answer. A block is one output item of the answer: a message, a reasoning item or a tool call.
 *
 * Invariants: `response-start` comes first; a delta or an end names an open block; block numbers ascend by start,
 * blocks may interleave; exactly one `finish` or `error`, and nothing after it; the last `usage` counts.
 */
export type StreamEvent =
  /** Opens the answer. `model` is what the upstream says it serves; `createdAtSec` is seconds since the epoch. */
  | { readonly type: "response-start"; readonly id: string; readonly model: string; readonly createdAtSec: number }
  /** Opens a message block. `phase` is the upstream's own word (`commentary`, `final_answer`). */
  | { readonly type: "text-start"; readonly block: number; readonly phase?: string }
  | { readonly type: "text-delta"; readonly block: number; readonly text: JsonText }
  /** Refusal text inside an open message block. */
  | { readonly type: "refusal-delta"; readonly block: number; readonly text: JsonText }
  | { readonly type: "citation"; readonly block: number; readonly citation: UrlCitation }
  | { readonly type: "text-end"; readonly block: number }
  | { readonly type: "reasoning-start"; readonly block: number }
  | { readonly type: "reasoning-delta"; readonly block: number; readonly text: JsonText }
  /** Closes a reasoning block; `seal` carries the encrypted item that replays it upstream. */
  | { readonly type: "reasoning-end"; readonly block: number; readonly seal?: NativeItem }
  | {
      readonly type: "tool-start"
      readonly block: number
      readonly callId: string
      readonly name: string
      readonly kind: ToolKind
      readonly namespace?: string
    }
  /** A fragment of the call's argument text (JSON source for `function`, free text for `custom`). */
  | { readonly type: "tool-delta"; readonly block: number; readonly text: JsonText }
  /** Closes a call; `cut` marks one whose argument text the upstream never finished. */
  | { readonly type: "tool-end"; readonly block: number; readonly cut?: true }
  /** A finished image; `base64` is a literal because it can be megabytes long. */
  | {
      readonly type: "image"
      readonly block: number
      readonly base64: JsonText
      readonly format: string
      readonly look?: ImageLook
    }
  /** An image on its way, for clients that asked to watch; `index` counts from 0. Belongs to no block. */
  | {
      readonly type: "image-partial"
      readonly index: number
      readonly base64: JsonText
      readonly format: string
      readonly look?: ImageLook
    }
  /** A hosted tool's item (web search, compaction, …) that only its own family understands. */
  | { readonly type: "native-item"; readonly block: number; readonly item: NativeItem }
  /** `imageUsage` is what the image model counted apart from that, in the upstream's own members. */
  | { readonly type: "usage"; readonly usage: Usage; readonly imageUsage?: JsonObject }
  | { readonly type: "finish"; readonly reason: FinishReason; readonly serviceTier?: string }
  | { readonly type: "error"; readonly error: GatewayError }

/** Receives events in order, synchronously. */
export type EmitEvent = (event: StreamEvent) => void
