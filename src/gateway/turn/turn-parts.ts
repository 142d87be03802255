/** What a model turn needs from the bricks, and what it hands over once an attempt is committed to. */

import type { Clock, Timers } from "#core/clock.ts"
import type { AccountId, ProviderId } from "#core/ids.ts"
import type { QuotaSnapshot, SendUpstream, UpstreamTarget } from "#core/upstream.ts"
import type { Affinity } from "#gateway/affinity/affinity.ts"
import type { Explainer } from "#gateway/journal/explainer.ts"
import type { ResponseMemory } from "#gateway/memory/response-memory.ts"
import type { UpstreamProtocol } from "#protocols/protocol.ts"
import type { Provider } from "#providers/provider.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"

import type { RetryBudget } from "./retry-budget.ts"
import type { UpstreamTransport } from "./socket-turn.ts"

/** The accounts as a turn sees them. */
export type TurnPool = {
  /** Where to send for this account; undefined when it has just been removed. */
  readonly target: (account: AccountId) => UpstreamTarget | undefined
  /**
   * Refreshes the credential now and publishes it; does nothing when `refusedToken` is no longer the one in use.
   * Rejects when the account cannot be refreshed.
   */
  readonly refreshNow: (account: AccountId, refusedToken?: string) => Promise<void>
  /** Some account that is out only because its access token has run out; undefined = there is none. */
  readonly expiredAccount: () => AccountId | undefined
  /** `askedAtMs`: when the attempt or the look began that brought it; only blocks that are older are lifted by it. */
  readonly observeQuota: (account: AccountId, snapshot: QuotaSnapshot, askedAtMs: number) => void
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
  /** Most that is kept of one unfinished frame of an answer. */
  readonly maxFrameBytes: number
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
  /** Whether turns may go over a WebSocket. */
  readonly upstreamTransport: () => UpstreamTransport
  readonly budget: RetryBudget
  readonly affinity: Affinity
  /** What clients may continue by id. */
  readonly memory: ResponseMemory
  /** Default: nothing is explained. */
  readonly explain?: Explainer
  readonly limits: () => TurnLimits
}
