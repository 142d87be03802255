/** Reads the claims of an access or identity token without verifying it: they describe our own account, they grant nothing. */

import { type JsonObject, numberAt, objectAt, parseJsonObject, stringAt } from "#core/json.ts"

import { compact } from "./formats/compact.ts"

/** What the tokens of an account say about it. Everything may be absent. Times in milliseconds since the epoch. */
export type TokenClaims = {
  readonly workspaceId?: string
  readonly userId?: string
  readonly email?: string
  readonly plan?: string
  readonly fedramp?: boolean
  readonly expiresAtMs?: number
  readonly issuedAtMs?: number
}

// Claim names as https://github.com/openai/codex reads them (codex-rs/login/src/token_data.rs).
const AUTH_CLAIM = "https://api.openai.com/auth"
const PROFILE_CLAIM = "https://api.openai.com/profile"

/** Returns the payload of a JWT, or undefined for anything else (opaque tokens, damaged text). */
function decodeClaims(token: string): JsonObject | undefined {
  const parts = token.split(".")
  const payload = parts[1]
  if (parts.length !== 3 || payload === undefined || payload === "") return undefined
  return parseJsonObject(Buffer.from(payload, "base64url").toString("utf8"))
}

function millisecondsAt(claims: JsonObject, key: string): number | undefined {
  const seconds = numberAt(claims, key)
  return seconds === undefined ? undefined : seconds * 1000
}

function booleanAt(claims: JsonObject, key: string): boolean | undefined {
  const value = claims[key]
  return typeof value === "boolean" ? value : undefined
}

/** Reads the claims we use from one token; an opaque token yields an empty object. */
export function readTokenClaims(token: string): TokenClaims {
  const claims = decodeClaims(token)
  if (claims === undefined) return {}
  const auth = objectAt(claims, AUTH_CLAIM) ?? {}
  const profile = objectAt(claims, PROFILE_CLAIM) ?? {}
  return compact({
    workspaceId: stringAt(auth, "chatgpt_account_id") ?? stringAt(claims, "chatgpt_account_id"),
    userId: stringAt(auth, "chatgpt_user_id") ?? stringAt(auth, "user_id"),
    email: stringAt(claims, "email") ?? stringAt(profile, "email"),
    plan: stringAt(auth, "chatgpt_plan_type"),
    fedramp: booleanAt(auth, "chatgpt_account_is_fedramp"),
    expiresAtMs: millisecondsAt(claims, "exp"),
    issuedAtMs: millisecondsAt(claims, "iat"),
  })
}

/** Who issued a signed token; undefined when its payload is not readable. */
export function readTokenIssuer(token: string): { readonly issuer?: string } | undefined {
  const claims = decodeClaims(token)
  return claims === undefined ? undefined : compact({ issuer: stringAt(claims, "iss") })
}
