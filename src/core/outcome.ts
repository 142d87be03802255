/** What an attempt and a request came to. */

import type { GatewayError } from "./errors.ts"
import type { Usage } from "./events.ts"
import type { AccountId, ProtocolId, RequestId } from "./ids.ts"

/** How the bytes of the answer travelled. */
export type Lane = "relay" | "transcode" | "collect"

/**
 * What an account is blocked for. `account` covers everything; `model` one model of the account;
 * `bucket` a named quota (`codex_bengalfox`); `egress` the way out of this machine.
 */
export type BlockScope =
  | { readonly type: "account" }
  | { readonly type: "model"; readonly model: string }
  | { readonly type: "bucket"; readonly bucket: string }
  | { readonly type: "egress" }

/** Why something is blocked. */
export type BlockCause =
  | "quota"
  | "burst"
  | "overload"
  | "server-error"
  | "network"
  | "proxy"
  | "credential"
  | "health"
  | "forbidden"
  | "billing"
  | "model-unsupported"
  | "challenge"
  | "workspace"

/** A stop sign on an account. `untilMs` is the moment it falls by itself; `evidenceAtMs` when the proving attempt began. */
export type Block = {
  readonly scope: BlockScope
  readonly cause: BlockCause
  readonly sinceMs: number
  readonly untilMs: number
  readonly evidenceAtMs: number
  /** The upstream's code or a short reason; shown to operators. */
  readonly detail: string
}

/** What a failed attempt asks of the account that made it. */
export type AccountEffect =
  | { readonly type: "none" }
  | {
      readonly type: "block"
      readonly scope: BlockScope
      readonly cause: BlockCause
      readonly forMs: number
      /** The upstream has not said how long: repeats rest longer, and `forMs` is what the first one is told. */
      readonly isUnstated?: boolean
    }
  | { readonly type: "refresh" }
  | { readonly type: "needs-login" }
  | { readonly type: "suspend" }

/** Where the next attempt may go after a failure. */
export type NextStep =
  /** The failure is the answer. */
  | "stop"
  /** Try once more on the same account (after {@link Verdict.delayMs}), then elsewhere. */
  | "same-account"
  | "other-account"
  /** Whoever is free first; the same account when there is no other, or when the conversation is its own. */
  | "requeue"
  /** Refresh the credential, then the same account once. */
  | "refresh-then-same"
  /** Strip encrypted items and stale response ids from the request, then the same account once. */
  | "strip-then-same"

/** A provider's reading of a failed attempt: the client's error, the account's consequence, the way on. */
export type Verdict = {
  readonly error: GatewayError
  readonly effect: AccountEffect
  readonly next: NextStep
  readonly delayMs?: number
}

/** An attempt that failed, as it is written down. */
export type FailedAttempt = {
  readonly account: AccountId
  readonly startedAtMs: number
  readonly totalMs: number
  readonly error: GatewayError
  readonly effect: AccountEffect["type"]
  readonly next: NextStep
}

/** The end of one request, settled exactly once: journal row and log line are made from it. */
export type Outcome = {
  readonly id: RequestId
  readonly protocol: ProtocolId
  readonly lane: Lane
  /** As the client wrote it. */
  readonly model: string
  readonly upstreamModel?: string
  /** What was understood differently than the client wrote it, e.g. `effort-clamped`. */
  readonly warnings?: readonly string[]
  readonly account?: AccountId
  readonly keyId: string
  /** HTTP status the client got; for a failure after the first byte the status it would have been. */
  readonly status: number
  readonly error?: GatewayError
  readonly attempts: number
  readonly startedAtMs: number
  readonly firstByteMs?: number
  readonly totalMs: number
  readonly usage?: Usage
  /** The answer broke off before the upstream had stated it: a guess by sizes. */
  readonly isUsageEstimated?: boolean
  /** Absent when every attempt went well. */
  readonly failedAttempts?: readonly FailedAttempt[]
  /** Why its accounts were chosen, or nobody was: the scheduler's explanations, which are plain JSON. Absent = not asked for. */
  readonly decisions?: readonly object[]
}
