/** Who an account is: a stable id that reveals nothing, and which of two files with the same account counts. */

import type { Account, Credential } from "#core/account.ts"
import type { AccountId } from "#core/ids.ts"

import { sha256Hex } from "./fingerprint.ts"
import { readTokenClaims } from "./jwt.ts"

/** What an id can be made of; the first that is known decides. */
export type IdentityFacts = {
  readonly userId?: string | undefined
  readonly workspaceId?: string | undefined
  /** Fingerprint of the refresh token. */
  readonly fingerprint?: string | undefined
  readonly apiKey?: string | undefined
  /** Whatever else tells it apart. */
  readonly place: string
}

/**
 * Makes the id. E-mail and workspace alone are not identities: seats of a team share the workspace, and one person
 * may own several workspaces under one e-mail.
 */
export function makeAccountId(facts: IdentityFacts): AccountId {
  // The prefix and the 16 hex digits are the whole definition of the brand.
  return `acc_${sha256Hex(identityText(facts)).slice(0, 16)}` as AccountId
}

function identityText(facts: IdentityFacts): string {
  const { userId, workspaceId, fingerprint, apiKey, place } = facts
  if (userId !== undefined && workspaceId !== undefined) return `user\n${userId}\n${workspaceId}`
  if (fingerprint !== undefined) return `refresh\n${fingerprint}`
  if (apiKey !== undefined) return `key\n${apiKey}`
  return place
}

/** True when the id comes from user and workspace and therefore outlives every rotation. */
export function hasLastingIdentity(facts: Pick<IdentityFacts, "userId" | "workspaceId">): boolean {
  return facts.userId !== undefined && facts.workspaceId !== undefined
}

/** The id made from user and workspace; undefined until both are known. */
export function lastingIdOf({ userId, workspaceId }: Pick<Account, "userId" | "workspaceId">): AccountId | undefined {
  if (userId === undefined || workspaceId === undefined) return undefined
  return makeAccountId({ userId, workspaceId, place: "" })
}

/** When the access token was issued, as near as can be told; undefined when nothing tells it. Milliseconds. */
function issuedAtMs(credential: Credential): number | undefined {
  if (credential.type === "api-key") return undefined
  return readTokenClaims(credential.accessToken).issuedAtMs ?? credential.lastRefreshAtMs
}

function expiryMs(credential: Credential): number {
  return credential.type === "chatgpt" ? (credential.expiresAtMs ?? 0) : 0
}

/**
 * True when `candidate`, found independently (another file, a file somebody replaced), is newer than `present`:
 * by the time the access token was issued, else by its expiry. Equal or unknown = not newer.
 */
export function isNewerCredential(candidate: Credential, present: Credential): boolean {
  const candidateMs = issuedAtMs(candidate)
  const presentMs = issuedAtMs(present)
  if (candidateMs !== undefined && presentMs !== undefined && candidateMs !== presentMs) return candidateMs > presentMs
  return expiryMs(candidate) > expiryMs(present)
}

/** Of two accounts with the same id from different files: the one to serve from. Ties go to the first. */
export function pickNewerAccount(first: Account, second: Account): Account {
  if (first.credential.generation !== second.credential.generation) {
    return second.credential.generation > first.credential.generation ? second : first
  }
  return isNewerCredential(second.credential, first.credential) ? second : first
}
