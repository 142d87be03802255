/** Tokens of a new sign-in → the account, and the entry that describes it to an import. */

import { accountFromDraft } from "#accounts/account-from-draft.ts"
import { compact } from "#accounts/formats/compact.ts"
import { decodeEntry } from "#accounts/formats/decode-entry.ts"
import { readTokenClaims } from "#accounts/jwt.ts"
import type { Account, Credential } from "#core/account.ts"
import type { JsonObject } from "#core/json.ts"

import type { SignInTokens } from "./exchange-code.ts"

/** An account that is nowhere yet. */
export type NewAccount = {
  /** Its `source` is not decided yet. */
  readonly account: Account & { readonly credential: Extract<Credential, { type: "chatgpt" }> }
  /** The flat entry. */
  readonly text: string
}

/** Makes the account; `nowMs` is when the tokens were given out. */
export function accountOfTokens(tokens: SignInTokens, nowMs: number): NewAccount {
  const entry = entryOf(tokens, nowMs)
  const account = accountFromDraft(decodeEntry(entry, 0))
  const { credential } = account
  // The entry above has an access token, which makes it an account of ChatGPT.
  if (credential.type !== "chatgpt") throw new TypeError("a sign-in gives no API key")
  return {
    account: { ...account, credential },
    text: `${JSON.stringify(entry, null, 2)}\n`,
  }
}

function entryOf(tokens: SignInTokens, nowMs: number): JsonObject {
  const access = readTokenClaims(tokens.accessToken)
  const claims = { ...readTokenClaims(tokens.idToken ?? ""), ...access }
  const lifeMs = tokens.expiresInSec === undefined ? undefined : tokens.expiresInSec * 1000
  const expiresAtMs = access.expiresAtMs ?? (lifeMs === undefined ? undefined : nowMs + lifeMs)
  return compact({
    type: "codex",
    email: claims.email,
    account_id: claims.workspaceId,
    plan_type: claims.plan,
    access_token: tokens.accessToken,
    refresh_token: tokens.refreshToken,
    id_token: tokens.idToken,
    expired: expiresAtMs === undefined ? undefined : new Date(expiresAtMs).toISOString(),
    last_refresh: new Date(nowMs).toISOString(),
  })
}
