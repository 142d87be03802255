/** The contract of a provider: whom we call, how an account proves itself there, and how to read what comes back. */

import type { Account } from "#core/account.ts"
import type { ProtocolId, ProviderId } from "#core/ids.ts"
import type { JsonObject } from "#core/json.ts"
import type { ModelInfo } from "#core/model-info.ts"
import type { Verdict } from "#core/outcome.ts"
import type {
  QuotaSnapshot,
  RequestRules,
  UpstreamFailure,
  UpstreamRequest,
  UpstreamSocket,
  UpstreamTarget,
} from "#core/upstream.ts"

/** How requests introduce themselves upstream. `userAgent` must begin with `originator` and carry `clientVersion`. */
export type ClientIdentity = {
  readonly originator: string
  readonly userAgent: string
  readonly clientVersion: string
}

/** What a model turn brings along besides its body. */
export type TurnContext = {
  /** UUID-shaped key of the conversation, scoped to the principal; sent as `session-id`. */
  readonly sessionId?: string
  /** The client's headers; an allow-list decides what goes on, and only for Codex clients. */
  readonly clientHeaders?: Headers
  readonly codexClient: boolean
  /** The client's turn state was issued to the account that is asked now. */
  readonly turnStateIsOurs: boolean
  /** The body is built for the reduced lane of newer Codex clients. Default: what a Codex client's headers say. */
  readonly lite?: boolean
}

/** One banked reset to be spent; `requestId` is a UUID. */
export type RedeemOrder = { readonly requestId: string; readonly creditId: string }

/** An error answer once its body is read. */
export type ErrorReplyParts = { readonly status: number; readonly headers: Headers; readonly bodyText: string }

/** What a provider needs to know to judge a failure. */
export type FailureContext = {
  readonly nowMs: number
  /** The slug that was asked for. */
  readonly model: string
  /** Attempts of this request on this account, this one included. Default 1. */
  readonly attempt?: number
  /** The account's credential was refreshed for this request already, so a second refusal is final. */
  readonly refreshed?: boolean
}

/** One kind of upstream. All functions are pure: values in, values out. */
export type Provider = {
  readonly id: ProviderId
  readonly dialect: ProtocolId
  readonly rules: RequestRules
  readonly defaultBaseUrl: string
  /** Picks the base URL of an account; `configuredUrl` is the operator's override for the provider. */
  readonly baseUrlOf: (account: Account, configuredUrl?: string) => string
  /** A model turn. `body` is sent as it is. */
  readonly turnRequest: (target: UpstreamTarget, body: string, context: TurnContext) => UpstreamRequest
  /** The same turn for a WebSocket; undefined without a conversation, absent where the upstream has none. */
  readonly socketTurn?: (target: UpstreamTarget, body: JsonObject, context: TurnContext) => UpstreamSocket | undefined
  /** The older, unary way to compact a history; answers JSON. */
  readonly compactRequest: (target: UpstreamTarget, body: string, context: TurnContext) => UpstreamRequest
  /** Web search without a model turn; answers JSON, or 404 where there is none. */
  readonly searchRequest: (target: UpstreamTarget, body: string, context: TurnContext) => UpstreamRequest
  /** The model list. With `etag` the upstream may answer 304. */
  readonly modelsRequest: (target: UpstreamTarget, etag?: string) => UpstreamRequest
  /** Quota without spending any; undefined when the provider has no such endpoint. */
  readonly usageRequest: (target: UpstreamTarget, usageUrl?: string) => UpstreamRequest | undefined
  /** The account's banked resets; undefined when the provider has none. */
  readonly resetCreditsRequest: (target: UpstreamTarget, usageUrl?: string) => UpstreamRequest | undefined
  /** Spends one. The same `requestId` again spends nothing more, so it is safe after a lost answer. */
  readonly redeemRequest: (target: UpstreamTarget, order: RedeemOrder, usageUrl?: string) => UpstreamRequest | undefined
  readonly readErrorReply: (reply: ErrorReplyParts) => UpstreamFailure
  readonly readFailure: (failure: UpstreamFailure, context: FailureContext) => Verdict
  /** Returns undefined when the headers say nothing about quota. */
  readonly readQuotaHeaders: (headers: Headers, nowMs: number) => QuotaSnapshot | undefined
  /** Reads the JSON of {@link Provider.usageRequest}; undefined when it is not recognised. */
  readonly readUsageBody: (json: unknown, nowMs: number) => QuotaSnapshot | undefined
  /** Reads a quota event inside a stream; undefined for any other event. */
  readonly readRateLimitEvent: (json: unknown, nowMs: number) => QuotaSnapshot | undefined
  /** Reads the JSON of {@link Provider.modelsRequest}. Entries without a slug are skipped; unreadable = empty. */
  readonly readModels: (json: unknown) => readonly ModelInfo[]
}

/** What providers are made of. */
export type ProviderParts = { readonly identity: ClientIdentity }
