/** What a model turn needs from the bricks, and what it hands over once an attempt is committed to. */

import type { Clock, Timers } from "#core/clock.ts"
import type { GatewayError } from "#core/errors.ts"
import type { AccountId, ProviderId } from "#core/ids.ts"
import type { Verdict } from "#core/outcome.ts"
import type { ClientCall, ModelRequest } from "#core/request.ts"
import type { QuotaSnapshot, SendUpstream, UpstreamFailure, UpstreamTarget } from "#core/upstream.ts"
import type { ReplyContext, UpstreamProtocol } from "#protocols/protocol.ts"
import type { Provider } from "#providers/provider.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"
import type { Lease } from "#scheduler/types.ts"

import type { ModelPlan } from "./models/plan-model.ts"
import type { RetryBudget } from "./retry-budget.ts"
import type { Settler } from "./settle.ts"
import type { Sticky } from "./sticky.ts"

/** The accounts as a turn sees them. */
export type TurnPool = {
  /** Where to send for this account; undefined when it has just been removed. */
  readonly target: (account: AccountId) => UpstreamTarget | undefined
  /** Refreshes the credential now and publishes it. Rejects when the account cannot be refreshed. */
  readonly refreshNow: (account: AccountId) => Promise<void>
  readonly observeQuota: (account: AccountId, snapshot: QuotaSnapshot) => void
  /** The upstream's `x-models-etag` of this account. */
  readonly observeModelsEtag: (account: AccountId, etag: string) => void
}

/** Limits that may change while running. */
export type TurnLimits = {
  /** Accounts one request may use. */
  readonly maxAccounts: number
  /** From admission to the first semantic byte. */
  readonly firstByteTimeoutMs: number
  /** Longest wait for a free account. */
  readonly queueTimeoutMs: number
}

/** The bricks a turn is made of. */
export type TurnParts = {
  readonly clock: Clock
  readonly timers: Timers
  /** A number in [0, 1): spreads retries. */
  readonly random: () => number
  readonly scheduler: Scheduler
  readonly pool: TurnPool
  readonly providers: Readonly<Record<ProviderId, Provider>>
  /** The dialect upstreams speak. */
  readonly upstream: UpstreamProtocol
  readonly send: SendUpstream
  readonly budget: RetryBudget
  readonly conversations: Sticky
  readonly turnStates: Sticky
  readonly limits: () => TurnLimits
}

/** One request on its way: what the client asked and what was decided about it. */
export type Turn = {
  readonly call: ClientCall
  readonly request: ModelRequest
  readonly plan: ModelPlan
  /** UUID-shaped key of the conversation, scoped to the principal. */
  readonly conversation: string
  readonly settler: Settler
  readonly kind: TurnKind
}

/** What tells an ordinary turn and the two ways of compaction apart. */
export type TurnKind = {
  readonly endpoint: "turn" | "compact"
  readonly encode: UpstreamProtocol["encodeRequest"]
}

/** What one attempt came to. `empty` says that the committed answer has no output at all. */
export type AttemptResult =
  | { readonly type: "committed"; readonly turn: CommittedTurn; readonly empty: boolean }
  | { readonly type: "failed"; readonly verdict: Verdict }

/** What is special about this attempt. */
export type AttemptInput = {
  readonly lease: Lease
  readonly stripEncrypted: boolean
  /** Attempts of this request on this account, this one included. */
  readonly attempt: number
  /** The account's credential was refreshed for this request already. */
  readonly refreshed: boolean
  /** Aborts the upstream request: client gone, deadline, or a committed stream that is given up. */
  readonly abort: AbortController
}

/** An attempt the gateway has committed to: everything from here on goes to the client. */
export type CommittedTurn = {
  readonly lease: Lease
  readonly account: AccountId
  readonly reader: ReadableStreamDefaultReader<Uint8Array>
  /** Chunks read while the head was held. */
  readonly chunks: readonly Uint8Array[]
  readonly headers: Headers
  readonly context: ReplyContext
  readonly startedAtMs: number
  /** Ends the upstream request at once. */
  readonly abort: (reason: GatewayError) => void
  /** Reads a failure inside the stream; also charges it to the account. */
  readonly readFailure: (failure: UpstreamFailure) => GatewayError
}
