/** What every way to sign in shares. */

import type { NewAccount } from "#accounts/sign-in/account-of-tokens.ts"
import type { SignInService } from "#accounts/sign-in/ask-service.ts"
import type { SignInRefusal } from "#accounts/sign-in/refusal.ts"
import type { Clock, Timers } from "#core/clock.ts"
import type { RandomBytes } from "#core/ids.ts"

import type { SavedAccount } from "./save-login.ts"

/** The parts of one run of the command. */
export type LoginContext = {
  readonly service: SignInService
  readonly originator: string
  readonly clock: Clock
  readonly timers: Timers
  readonly random: RandomBytes
  /** Ctrl-C. */
  readonly signal: AbortSignal
  /** Tells the user something; whole lines without their end. */
  readonly say: (text: string) => void
  /** Shows that the command waits; the returned function ends it. */
  readonly showWaiting: (what: string) => () => void
  readonly save: (account: NewAccount) => Promise<SavedAccount>
}

/** How a sign-in ended. */
export type LoginOutcome = { readonly type: "signed-in"; readonly saved: SavedAccount } | SignInRefusal
