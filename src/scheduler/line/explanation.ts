/** Why a request got the account it got, as one JSON value. */

import type { AccountId } from "#core/ids.ts"
import type { Tier } from "#scheduler/pick/ranks.ts"
import type { Strategy } from "#scheduler/pick/strategies.ts"

/** An account that could have served at once. */
export type Candidate = {
  readonly account: AccountId
  readonly priority: number
  readonly tier: Tier
  /** 0–100. */
  readonly score: number
  /** Of the policies that look at quota: 0 goes first. */
  readonly band: number
  readonly load: number
  readonly cap: number
  readonly uses: number
  readonly weight: number
  /** Of the tightest window of its quota; absent when unknown. */
  readonly remainingPercent?: number
  /** Milliseconds since the epoch; absent = never used. */
  readonly lastUsedAtMs?: number
}

/** An account that could not. */
export type Exclusion = {
  readonly account: AccountId
  /** A reason as `AccountView` has it, or `tried`, `unasked`, `provider`, `tags`, `key`, `model`, `plan`, `way-out`, `probing`, `full`. */
  readonly reason: string
  /** When it ends by itself, milliseconds since the epoch. */
  readonly untilMs?: number
}

/** One decision. Lists are cut; `counts` covers everybody. */
export type Explanation = {
  /** Milliseconds since the epoch. */
  readonly atMs: number
  readonly model: string
  readonly strategy: Strategy
  readonly decision: "lease" | "wait" | "refusal"
  readonly account?: AccountId
  /** What decided: the wish for this account, the policy, or that nothing better than a failing way was left. */
  readonly by?: "preference" | "strategy" | "last-resort"
  /** Of a refusal. */
  readonly code?: string
  readonly waiting: number
  /** Best first as far as priority, tier, band and utilisation say; a policy's own order decides among equals. */
  readonly candidates: readonly Candidate[]
  readonly exclusions: readonly Exclusion[]
  readonly counts: { readonly candidates: number; readonly exclusions: Readonly<Record<string, number>> }
}
