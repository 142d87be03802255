/** One sign-in between the opened page and its answer: ten minutes, and one answer only. */

import type { Clock } from "#core/clock.ts"
import type { RandomBytes } from "#core/ids.ts"

import { type AuthorizeRequest, authorizeUrl } from "./authorize-url.ts"
import type { CodeProof } from "./exchange-code.ts"
import type { Callback } from "./parse-callback.ts"
import { makePkce, makeState } from "./pkce.ts"
import { refuse, refuseDenied, type SignInRefusal } from "./refusal.ts"

/** How long an answer is waited for. */
const LIFETIME_MS = 10 * 60_000

/** What an answer came to. `other` decides nothing: it belongs to another sign-in, says nothing, or repeats the answer. */
export type Redeemed =
  | { readonly type: "proof"; readonly proof: CodeProof }
  | { readonly type: "other"; readonly refusal: SignInRefusal }
  | SignInRefusal

/** A sign-in that waits for its answer. */
export type PendingLogin = {
  /** Where the user signs in. */
  readonly url: string
  readonly expiresAtMs: number
  /** Takes an answer; one that fits uses the sign-in up, whatever becomes of it. */
  readonly redeem: (callback: Callback) => Redeemed
}

/** What a sign-in starts from. */
export type PendingLoginParts = Pick<AuthorizeRequest, "issuer" | "clientId" | "redirectUri" | "originator"> & {
  readonly clock: Clock
  readonly random: RandomBytes
}

/** The refusal of an answer, or of a silence, that lasted too long. */
export const EXPIRED: SignInRefusal = refuse(
  "login_expired",
  "Nobody finished the sign-in within ten minutes.",
  "Start the sign-in again.",
)

const USED: SignInRefusal = refuse(
  "login_used",
  "This sign-in was answered already; an answer counts once.",
  "The command that started it says how it ended; start it again for another account.",
)

const WRONG_STATE: SignInRefusal = refuse(
  "wrong_state",
  "This answer belongs to another sign-in.",
  "Finish the page that was opened last, or start the sign-in again.",
)

const UNREADABLE: SignInRefusal = refuse(
  "unreadable_answer",
  "That holds no authorization code.",
  "Paste the whole address the browser ended on; it begins with http://localhost and contains code=.",
)

const SIGN_IN_PAGE: SignInRefusal = refuse(
  "sign_in_page",
  "That is the address of the sign-in page itself.",
  "Open it, sign in, and paste the address the browser shows afterwards.",
)

/** Starts one. Nothing is sent. */
export function startLogin(parts: PendingLoginParts): PendingLogin {
  const { clock, random, ...request } = parts
  const { verifier, challenge } = makePkce(random)
  const state = makeState(random)
  const expiresAtMs = clock() + LIFETIME_MS
  let isUsed = false
  return {
    url: authorizeUrl({ ...request, challenge, state }),
    expiresAtMs,
    redeem: callback => {
      if (isUsed) return { type: "other", refusal: USED }
      if (clock() >= expiresAtMs) return EXPIRED
      if (callback.type === "unreadable") return { type: "other", refusal: UNREADABLE }
      if (callback.type === "sign-in-page") return { type: "other", refusal: SIGN_IN_PAGE }
      // Any page can send a browser to this port; only the page that was opened knows the state.
      if (callback.type !== "bare-code" && callback.state !== state) return { type: "other", refusal: WRONG_STATE }
      isUsed = true
      if (callback.type === "denied") return refuseDenied(callback.error, callback.description)
      return { type: "proof", proof: { code: callback.code, verifier, redirectUri: request.redirectUri } }
    },
  }
}
