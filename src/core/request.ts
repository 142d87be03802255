/** The neutral request: what every client dialect is decoded to and every upstream dialect is encoded from. */

import type { NativeItem, ToolKind } from "./events.ts"
import type { ProtocolId, RequestId } from "./ids.ts"
import type { JsonObject } from "./json.ts"

/** Who is asking. `keyId` is a short hash of the client key, `anonymous` when none is configured. */
export type Principal = { readonly keyId: string }

/** One HTTP request to a model endpoint, after admission and before any dialect has looked at it. */
export type ClientCall = {
  readonly id: RequestId
  readonly protocol: ProtocolId
  /** The body, parsed; dialects check what they use. */
  readonly json: JsonObject
  /** Size of the body, unpacked; absent = nobody has measured it. */
  readonly bodyBytes?: number
  /** Lower-case names. Only what {@link CLIENT_HEADERS} lists is ever forwarded. */
  readonly headers: Headers
  readonly principal: Principal
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal
  readonly startedAtMs: number
}

/** A part of a message or of a tool result. */
export type ContentPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "refusal"; readonly text: string }
  /** `url` is an http(s) or data URL; exactly one of `url` and `fileId` is present. */
  | {
      readonly type: "image"
      readonly url?: string
      readonly fileId?: string
      readonly detail?: "auto" | "low" | "high" | "original"
    }
  | {
      readonly type: "file"
      readonly filename?: string
      readonly dataUrl?: string
      readonly fileId?: string
      readonly url?: string
    }

/** One element of the conversation, in order. */
export type InputItem =
  | {
      readonly type: "message"
      readonly role: "developer" | "user" | "assistant"
      readonly parts: readonly ContentPart[]
      readonly phase?: string
    }
  | {
      readonly type: "tool-call"
      readonly callId: string
      readonly name: string
      readonly kind: ToolKind
      /** JSON source for `function`, free text for `custom`; carried byte for byte. */
      readonly input: string
      readonly namespace?: string
    }
  | {
      readonly type: "tool-result"
      readonly callId: string
      readonly kind: ToolKind
      readonly output: string | readonly ContentPart[]
      readonly isError?: boolean
    }
  /** Encrypted reasoning, compaction, hosted calls: only their own family can replay them. */
  | { readonly type: "native-item"; readonly item: NativeItem }

/** A tool the model may call. */
export type ToolDefinition =
  | {
      readonly type: "function"
      readonly name: string
      readonly description?: string
      /** JSON schema as the client sent it; repaired by the upstream encoder. Undefined = no arguments. */
      readonly parameters?: JsonObject
      readonly strict?: boolean
    }
  | { readonly type: "custom"; readonly name: string; readonly description?: string; readonly format?: JsonObject }
  | { readonly type: "web-search"; readonly options: JsonObject }
  | { readonly type: "image-generation"; readonly options: JsonObject }

/** Which tool the model must, may or must not call. */
export type ToolChoice =
  | { readonly type: "auto" | "none" | "required" }
  | { readonly type: "tool"; readonly kind: ToolKind; readonly name: string }
  | { readonly type: "hosted"; readonly name: "web_search" | "image_generation" }
  | {
      readonly type: "allowed"
      readonly mode: "auto" | "required"
      readonly tools: readonly { readonly kind: ToolKind; readonly name: string }[]
    }

/** Shape of the answer's text. */
export type OutputFormat =
  | { readonly type: "json-object" }
  | {
      readonly type: "json-schema"
      readonly name: string
      readonly description?: string
      readonly schema: JsonObject
      readonly strict?: boolean
    }

/** The conversation and its options in neutral form. */
export type NeutralBody = {
  readonly type: "neutral"
  /** What stands above the conversation, in dialects that keep it apart from the messages. */
  readonly instructions?: string
  readonly input: readonly InputItem[]
  readonly tools: readonly ToolDefinition[]
  readonly toolChoice?: ToolChoice
  readonly parallelToolCalls?: boolean
  readonly format?: OutputFormat
}

/** A body already in an upstream dialect: the relay lane patches it and rebuilds nothing. */
export type NativeBody = { readonly type: "native"; readonly family: ProtocolId; readonly json: JsonObject }

/** One model request. Everything the gateway itself decides on is lifted out of the body. */
export type ModelRequest = {
  readonly protocol: ProtocolId
  /** The model name exactly as the client wrote it; echoed in the answer. */
  readonly model: string
  readonly body: NeutralBody | NativeBody
  readonly stream: boolean
  /** Effort the body asks for, before suffixes and clamping. */
  readonly effort?: string
  /** Reasoning summary the body asks for (`auto`, `concise`, `detailed`, `none`). */
  readonly summary?: string
  readonly verbosity?: string
  /** Service tier the body asks for, in the client's words (`fast`, `priority`, `auto`, …). */
  readonly serviceTier?: string
  /** The client's own cache key, before it is scoped to the principal. */
  readonly cacheKey?: string
  /** Weak conversation hint (`user`, `safety_identifier`); joined with a content hash, never used alone. */
  readonly sessionHint?: string
  /** Names what several conversations belong to (a session with its sub-agents): a new one starts where the last one ran. */
  readonly sessionGroup?: string
  /** The caller uses the reduced Codex lane: tools travel in `input`, no instructions, no parallel calls. */
  readonly responsesLite?: boolean
  /** What the client's dialect needs to remember until the answer is encoded. */
  readonly reply: ReplyOptions
}

/** How the answer must look, decided by the request. */
export type ReplyOptions = {
  /** Chat `stream_options.include_usage`. */
  readonly includeUsage: boolean
  /** Chat legacy `functions`: answer with `function_call`. */
  readonly legacyFunctions: boolean
  /** Show custom tool calls in the function envelope (Cursor). */
  readonly customAsFunction: boolean
  /** The caller is a Codex client: keep its private events and fail with `response.failed`. */
  readonly codexClient: boolean
  /** Messages: whether thinking blocks are sent, and whether with their text or only sealed. Absent = none. */
  readonly thinking?: "shown" | "sealed"
  /** The client wants nothing said, only to know that it could be: answered here, without an upstream. */
  readonly wantsNothing?: boolean
  /** Messages: a search was all that was asked for, so its results wait for the sources the answer cites. */
  readonly searchFirst?: boolean
  /** The answer's text is an object with the one member `value`: only what it holds is sent, as JSON or as bare text. */
  readonly unwrap?: "json" | "text"
  /** Texts the answer's text ends before, where the upstream knows no such thing. */
  readonly stopSequences?: readonly string[]
  /** Images: which address was asked, and whether pictures are given as data URLs. */
  readonly image?: { readonly operation: "generation" | "edit"; readonly asUrl: boolean }
  /** Ollama: the answer is a bare text, not a message. */
  readonly asCompletion?: boolean
  /** Ollama: nothing was said because the model is only to be there, or to go; goes with `wantsNothing`. */
  readonly loads?: "load" | "unload"
  /** The stream is one JSON array that grows, instead of server-sent events. */
  readonly asArray?: boolean
}
