/** The scheduler's vocabulary: what it is told about accounts, what it is asked for, what it hands out. */

import type { ErrorKind, GatewayError } from "#core/errors.ts"
import type { AccountId, ProviderId } from "#core/ids.ts"
import type { AccountEffect, Block, BlockCause, BlockScope } from "#core/outcome.ts"

import type { BreakerState } from "./health/breaker.ts"
import type { HealthTerm } from "./health/score.ts"
import type { Explanation } from "./line/explanation.ts"
import type { PlacementRules } from "./members/placement.ts"
import type { Tier } from "./pick/ranks.ts"
import type { Strategy } from "./pick/strategies.ts"

/** Whether an account may be used at all. `paused` is the operator's word, the last two the upstream's. */
export type Lifecycle = "enabled" | "paused" | "needs-login" | "suspended"

/** How good the credential is. `due` is still used while it is refreshed; `expired` and `uncertain` are not. */
export type CredentialState = "fresh" | "due" | "expired" | "uncertain"

/** What the scheduler must know of an account; no secrets. */
export type AccountFacts = {
  readonly id: AccountId
  readonly provider: ProviderId
  readonly plan?: string
  readonly lifecycle: Lifecycle
  readonly credential: CredentialState
  /** Simultaneous requests; default: the configured account concurrency. */
  readonly cap?: number
  /** Name of the way out; accounts that share it share its blocks. Default `direct`. */
  readonly egress?: string
  /** −100 … 100: lower ones serve only when no higher one has a free slot. Default: what the rules say, else 0. */
  readonly priority?: number
  /** Share under the `weighted` policy. Default: what the rules say, else 1. */
  readonly weight?: number
  /** Names that requests and rules may ask for; those of the rules are added. */
  readonly tags?: readonly string[]
}

/** One request for an account. */
export type Demand = {
  /** Upstream slug. */
  readonly model: string
  /** Default: all providers. */
  readonly providers?: readonly ProviderId[]
  /** Tags an account must carry, all of them. Default: none. */
  readonly tags?: readonly string[]
  /** Accounts this request has used up; never picked. */
  readonly exclude: ReadonlySet<AccountId>
  /** Taken when it can serve now, whatever its load; otherwise the usual pick follows. */
  readonly prefer?: AccountId
  /** The only account that will do: the others, which `exclude` has to name, are not even looked at. Stands for `prefer` too. */
  readonly only?: AccountId
  /** Who waits in whose line: fairness is between keys. */
  readonly keyId: string
  /** Milliseconds since the epoch after which nobody waits for the answer any more. */
  readonly deadlineMs: number
  /** Aborting it is the same as `cancel()`. */
  readonly signal?: AbortSignal
  /** Told why each decision about this request fell as it did, before it takes effect. Costs a walk over the pool. */
  readonly explain?: (why: Explanation) => void
}

/**
 * One slot of an account. Whoever holds it calls `release` exactly when the attempt is over; more calls do nothing. It is a
 * method: called on the lease, not taken off it.
 */
export type Lease = {
  readonly account: AccountId
  /** Milliseconds since the epoch. */
  readonly acquiredAtMs: number
  release(): void
}

/** The answer to a {@link Demand}. A waiting lease rejects with `cancelled` or with the refusal of its deadline. */
export type Acquired =
  | { readonly type: "lease"; readonly lease: Lease }
  | { readonly type: "wait"; readonly lease: Promise<Lease>; readonly cancel: () => void }
  | { readonly type: "refusal"; readonly error: GatewayError }

/** What an attempt that failed says about its account. */
export type AttemptReport = {
  readonly effect: AccountEffect
  /** When the attempt began, milliseconds since the epoch: evidence older than a change does not undo it. */
  readonly startedAtMs: number
  /** Empty when it was no client's request: such an attempt says nothing about the account's health. */
  readonly model: string
  /** The upstream's code or a short reason, for operators. */
  readonly detail: string
  /** What the client would be told; tells failures apart that ask nothing of the account. */
  readonly kind?: ErrorKind
}

/** An attempt that went well. */
export type AttemptSuccess = {
  readonly startedAtMs: number
  readonly model: string
  /** Time to the first output, when known. */
  readonly firstOutputMs?: number
}

/** A change in an account's state, for display. */
export type Transition = { readonly atMs: number; readonly change: string; readonly detail: string }

/** Why an account cannot be picked. */
export type UnavailableReason =
  | Exclude<Lifecycle, "enabled">
  | "credential-expired"
  | "credential-uncertain"
  | BlockCause

/** One account for display. */
export type AccountView = {
  readonly id: AccountId
  readonly provider: ProviderId
  readonly plan?: string
  readonly lifecycle: Lifecycle
  readonly credential: CredentialState
  /** Nothing but a full load or a block of single models keeps requests away. */
  readonly available: boolean
  readonly reason?: UnavailableReason
  /** A block has run out and one request at a time finds out whether its cause is gone. */
  readonly probing: boolean
  readonly blocks: readonly Block[]
  readonly load: number
  /** Simultaneous requests it may have now. */
  readonly cap: number
  /** The configured maximum. */
  readonly ceiling: number
  /** Set while the upstream was found to bear less than the maximum. */
  readonly learnedCap?: number
  /** 0–100. */
  readonly score: number
  readonly tier: Tier
  /** What the score is made of; adds up to more or less than it when that lies outside 0–100. */
  readonly terms: readonly HealthTerm[]
  readonly priority: number
  readonly weight: number
  readonly tags: readonly string[]
  /** Of the tightest window, when the account has said anything about its quota. */
  readonly quota?: { readonly remainingPercent: number; readonly resetsAtMs?: number }
  /** Requests it was taken for. */
  readonly uses: number
  readonly lastUsedAtMs?: number
  /** The last 20, oldest first. */
  readonly transitions: readonly Transition[]
}

/** The pool in numbers. `byReason` counts the accounts that are not available; reasons without any are absent. */
export type PoolCounts = {
  readonly total: number
  readonly available: number
  readonly byReason: Readonly<Partial<Record<UnavailableReason, number>>>
  readonly leases: number
  readonly waiting: number
  /** Set while many accounts fail alike and their states are left alone. */
  readonly breaker?: BreakerState
}

/** A block as the store keeps it. Blocks of a way out are not kept: they are short and say nothing about an account. */
export type BlockRow = Block & { readonly accountId: AccountId }

/** Which blocks to clear; default all. */
export type ClearOptions = {
  readonly cause?: BlockCause
  /** Only blocks of this kind of scope. */
  readonly scope?: BlockScope["type"]
  /** Only blocks of this one model. */
  readonly model?: string
  /** Only blocks last confirmed before this moment, milliseconds since the epoch. */
  readonly confirmedBeforeMs?: number
}

/** Limits that may change while running. */
export type SchedulerLimits = {
  /** Simultaneous requests of one account. */
  readonly accountConcurrency: number
  /** Requests that may wait in all; 0 = nobody waits. */
  readonly queueMax: number
  readonly queueTimeoutMs: number
  /** Requests of one key that may wait; default `queueMax`. */
  readonly queueMaxPerKey?: number
  /** Default `least-loaded`. */
  readonly strategy?: Strategy
  /** Health decides about rank and concurrency. Default true; scores are kept either way. */
  readonly healthTiers?: boolean
  /** Concurrency is cut when the upstream complains. Default true. */
  readonly learnConcurrency?: boolean
  /** Accounts whose tightest window is used up to here come after all others, except for conversations of theirs. Default: none. */
  readonly softCeilingPercent?: number
  /** Default: none. A change is noticed when the object is another one. */
  readonly placement?: PlacementRules
}
