/** The vocabulary of refreshing: outcomes, events and the parts a refresher is made of. */

import type { Rotation, VaultIntent } from "#accounts/credentials/credential-vault.ts"
import type { Account } from "#core/account.ts"
import type { Clock, Timers } from "#core/clock.ts"
import type { GatewayError } from "#core/errors.ts"
import type { AccountId, RandomBytes } from "#core/ids.ts"
import type { AccountEffect } from "#core/outcome.ts"
import type { SendUpstream } from "#core/upstream.ts"

import type { RefreshLane } from "./refresh-queue.ts"
import type { RefreshFailureClass, TokenEndpoint } from "./refresh-token.ts"

/** Why an account has no newer credential. `code` is safe to show. */
export type RefreshFailure = {
  readonly class: RefreshFailureClass
  readonly code: string
  /** A permanent refusal was confirmed by a second one: the account needs a new sign-in. */
  readonly confirmed: boolean
  /** When the next try is planned; undefined = none by itself. */
  readonly retryAtMs?: number
}

/** What a call of `refresh` came to. */
export type RefreshOutcome =
  /** `renewed` by an exchange, `adopted` from the file, or `current`: somebody else had refreshed before. */
  | { readonly type: "fresh"; readonly how: "renewed" | "adopted" | "current"; readonly account: Account }
  /** The account's present access token may still serve until it expires. `account` is undefined when it is gone. */
  | { readonly type: "failed"; readonly failure: RefreshFailure; readonly account?: Account }

/** What a refresher tells its surroundings. */
export type RefresherEvent =
  /** The account serves with a new credential. Everything that keeps accounts replaces it. */
  | { readonly type: "credential-renewed"; readonly account: Account }
  /** A confirmed refusal. `detail` is the endpoint's code. */
  | {
      readonly type: "account-effect"
      readonly accountId: AccountId
      readonly effect: AccountEffect
      readonly detail: string
      /** The token was used up by an exchange of ours whose answer was lost, and with it the successor. */
      readonly afterLostAnswer: boolean
    }
  /** An exchange has no known end: the refresh token may be used up. Followed by `credential-renewed` or by one of the failures. */
  | {
      readonly type: "credential-uncertain"
      readonly accountId: AccountId
      /** `earlier-run`: the process ended during the exchange. */
      readonly origin: "lost-answer" | "earlier-run"
    }
  /** One exchange failed; a retry is planned unless `failure.retryAtMs` is undefined. */
  | { readonly type: "refresh-failed"; readonly accountId: AccountId; readonly failure: RefreshFailure }
  /** A bug: a part of the refresher threw. The accounts concerned are tried again in a minute. */
  | { readonly type: "refresh-crashed"; readonly error: GatewayError }

/** How safely a rotation is kept. `held`: only in memory and, if that worked, in the emergency journal. */
export type CommitResult = "durable" | "held"

/** Where intents are noted. All three may throw the store's error. */
export type IntentBook = {
  readonly begin: (account: Account, fingerprint: string) => void
  readonly end: (fingerprint: string) => void
  readonly leftOver: () => readonly VaultIntent[]
}

/** What a refresher is made of. */
export type RefresherParts = {
  readonly send: SendUpstream
  readonly endpoint: TokenEndpoint
  readonly clock: Clock
  readonly timers: Timers
  readonly random: RandomBytes
  /** Puts the successors of one used-up token where a crash cannot reach them. Never rejects. */
  readonly commit: (rotations: readonly Rotation[]) => Promise<CommitResult>
  /** Reads the account's file again; undefined when it is gone. Never rejects. */
  readonly reload: (account: Account) => Promise<Account | undefined>
  readonly intents: IntentBook
  readonly emit: (event: RefresherEvent) => void
  /** False: nothing is refreshed unless somebody asks; default true. */
  readonly isPlanning?: boolean
  /** Exchanges at a time; default 4. */
  readonly maxRunning?: number
  /** Age at which a token without a stated expiry is refreshed; default 8 days. */
  readonly unknownLifetimeMs?: number | undefined
  /** Between two background starts; default 1,000 ms. */
  readonly backgroundGapMs?: number
}

/** How a call of `refresh` wants to be treated. */
export type RefreshRequest = {
  readonly lane?: RefreshLane
  /** The access token the upstream refused: when the account has another one already, nothing is exchanged. */
  readonly rejectedToken?: string
}

/** One step of `refreshAll`. */
export type RefreshProgress = {
  readonly done: number
  readonly total: number
  readonly accountId: AccountId
  readonly outcome: RefreshOutcome
}

/** Keeps the credentials of all accounts alive. */
export type Refresher = {
  /** Adds or replaces an account; a credential of a lower generation than the present one is not taken. Returns the account as it stands now. */
  readonly put: (account: Account) => Account
  readonly remove: (accountId: AccountId) => void
  readonly get: (accountId: AccountId) => Account | undefined
  readonly accounts: () => readonly Account[]
  /** Why the last refresh failed; undefined once one has worked. */
  readonly lastFailure: (accountId: AccountId) => RefreshFailure | undefined
  /** True while an exchange of the account's refresh token has no known end. */
  readonly isUncertain: (accountId: AccountId) => boolean
  /** Refreshes one account now; calls for the same refresh token share one exchange. Never rejects. */
  readonly refresh: (accountId: AccountId, request?: RefreshRequest) => Promise<RefreshOutcome>
  /** Refreshes every enabled account that has a refresh token, ahead of the background. */
  readonly refreshAll: (onProgress?: (progress: RefreshProgress) => void) => Promise<readonly RefreshOutcome[]>
  /** Held credentials became durable: refreshing may go on. */
  readonly resume: () => void
  /**
   * Starts nothing until `unpause`, whoever asks, and resolves when nothing runs any more: with false when a credential is held
   * that could not be stored, or when an exchange hangs.
   */
  readonly pause: () => Promise<boolean>
  readonly unpause: () => void
  /** Starts nothing more and waits up to 35 s for exchanges that run. */
  readonly close: () => Promise<void>
}
