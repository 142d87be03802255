/** Tokens in the shape of the sign-in service's JWTs; unsigned, because nobody may trust them. */

import type { Json, JsonObject } from "#core/json.ts"

/** Whom a token speaks for. */
export type TokenSubject = {
  readonly workspaceId: string
  readonly userId: string
  readonly email: string
  readonly plan: string
  readonly fedramp: boolean
}

/** When a token was made and until when it holds, and what makes it unlike its predecessor. */
export type TokenLife = { readonly issuedAtSec: number; readonly expiresAtSec: number; readonly tokenId: string }

const AUTH_CLAIM = "https://api.openai.com/auth"
const PROFILE_CLAIM = "https://api.openai.com/profile"

/** Makes an access token: account, plan and user in the auth claim, the e-mail in the profile claim. */
export function makeAccessToken(subject: TokenSubject, life: TokenLife): string {
  return encodeToken({
    aud: ["https://api.openai.com/v1"],
    client_id: "app_EMoamEEZ73f0CkXaXp7hrann",
    [AUTH_CLAIM]: authClaim(subject),
    [PROFILE_CLAIM]: { email: subject.email, email_verified: true },
    scp: ["openid", "profile", "email", "offline_access"],
    ...commonClaims(subject, life),
  })
}

/** Makes an id token: as the access token, with the e-mail at top level and the subscription's dates. */
export function makeIdToken(subject: TokenSubject, life: TokenLife): string {
  const from = new Date((life.issuedAtSec - 864_000) * 1000).toISOString()
  const until = new Date((life.issuedAtSec + 1_728_000) * 1000).toISOString()
  return encodeToken({
    aud: ["app_EMoamEEZ73f0CkXaXp7hrann"],
    email: subject.email,
    email_verified: true,
    [AUTH_CLAIM]: {
      ...authClaim(subject),
      chatgpt_subscription_active_start: from,
      chatgpt_subscription_active_until: until,
      chatgpt_subscription_last_checked: from,
      organizations: [{ id: `org-${subject.userId}`, is_default: true, role: "owner", title: "Personal" }],
      groups: [],
    },
    ...commonClaims(subject, life),
  })
}

function authClaim(subject: TokenSubject): JsonObject {
  return {
    chatgpt_account_id: subject.workspaceId,
    chatgpt_plan_type: subject.plan,
    chatgpt_user_id: subject.userId,
    user_id: subject.userId,
    chatgpt_account_is_fedramp: subject.fedramp,
  }
}

function commonClaims(subject: TokenSubject, life: TokenLife): JsonObject {
  return {
    iss: "https://auth.openai.com",
    sub: `simulated|${subject.userId}`,
    iat: life.issuedAtSec,
    nbf: life.issuedAtSec,
    exp: life.expiresAtSec,
    jti: life.tokenId,
  }
}

function encodeToken(claims: Json): string {
  const header = { alg: "RS256", typ: "JWT", kid: "sluice-simulator" }
  return `${encodePart(header)}.${encodePart(claims)}.${Buffer.from("simulated, not signed").toString("base64url")}`
}

function encodePart(value: Json): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url")
}
