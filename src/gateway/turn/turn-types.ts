/** The values of a model turn: the request on its way, one attempt, and the attempt that is committed to. */

import type { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import type { Verdict } from "#core/outcome.ts"
import type { ClientCall, ModelRequest } from "#core/request.ts"
import type { ModelPlan } from "#gateway/models/plan-model.ts"
import type { AnswerParts, ClientProtocol, ReplyContext, UpstreamProtocol } from "#protocols/protocol.ts"
import type { AccountScope } from "#scheduler/pick/account-scope.ts"
import type { Lease } from "#scheduler/types.ts"

import type { Carriage, CarriedAttempt } from "./carrier.ts"
import type { Settler } from "./settle.ts"

/** One request on its way: what the client asked and what was decided about it. */
export type Turn = {
  readonly call: ClientCall
  readonly request: ModelRequest
  readonly plan: ModelPlan
  /** UUID-shaped key of the conversation, scoped to the principal. */
  readonly conversation: string
  /** Key of what the conversation belongs to; see `ModelRequest.sessionGroup`. */
  readonly group?: string
  readonly settler: Settler
  readonly kind: TurnKind
  /** The accounts the client's key may use; undefined = all. */
  readonly scope?: AccountScope | undefined
  /** Set while another thread holds the client's connection. */
  readonly carriage?: Carriage
}

/** What tells an ordinary turn, the two ways of compaction and a search apart. All but `turn` are answered by one JSON value. */
export type TurnKind = {
  readonly endpoint: "turn" | "compact" | "search"
  /** How the call is read, where not as its dialect says. */
  readonly decode?: ClientProtocol["decodeRequest"]
  readonly encode: UpstreamProtocol["encodeRequest"]
  /** Name of the model that runs the turn, where the client names only the tool it wants. */
  readonly host?: () => string
  /** Accounts that cannot serve it. Throws `no-account` when that is all of them. */
  readonly barred?: () => ReadonlySet<AccountId>
}

/** What one attempt came to. `empty` says that the committed answer has no output at all. */
export type AttemptResult =
  | { readonly type: "committed"; readonly turn: CommittedTurn; readonly empty: boolean }
  | {
      readonly type: "failed"
      readonly verdict: Verdict
      /** The access token the attempt was made with. */
      readonly usedToken?: string
    }

/** What is special about this attempt. */
export type AttemptInput = {
  readonly lease: Lease
  readonly stripEncrypted: boolean
  /** Reasoning in the request that this account cannot read. */
  readonly foreignTexts: ReadonlySet<string>
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
  /** Time to the first output. */
  readonly firstOutputMs: number
  /** Ends the upstream request at once. */
  readonly abort: (reason: GatewayError) => void
  /** What reading the answer needs; a failure inside it is charged to the account. */
  readonly answer: AnswerParts
  /** Set when another thread reads it: `reader` gives nothing then. */
  readonly carried?: CarriedAttempt
}
