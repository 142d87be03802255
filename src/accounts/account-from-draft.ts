/** Draft + tokens' claims + what the store remembers → account. */

import { basename } from "node:path"

import type { Account, AccountSource, Credential } from "#core/account.ts"
import type { AccountId } from "#core/ids.ts"

import { refreshFingerprint } from "./fingerprint.ts"
import type { AccountDraft } from "./formats/account-draft.ts"
import { compact } from "./formats/compact.ts"
import { hasLastingIdentity, isNewerCredential, makeAccountId } from "./identity.ts"
import { readTokenClaims, type TokenClaims } from "./jwt.ts"

/** A credential the store holds because a refresh put it there. */
export type RememberedCredential = {
  readonly accountId: AccountId
  readonly credential: Credential
  readonly fingerprint: string
  /** Fingerprint of the refresh token it replaced. */
  readonly previousFingerprint?: string
}

/** Looks up remembered credentials; synchronous, so that nothing changes between look-up and use. */
export type CredentialMemory = {
  readonly byAccount: (accountId: AccountId) => RememberedCredential | undefined
  readonly byFingerprint: (fingerprint: string) => readonly RememberedCredential[]
}

/** A memory that knows nothing: files alone count. */
export const NO_MEMORY: CredentialMemory = { byAccount: () => undefined, byFingerprint: () => [] }

/** An account and, when its file holds an older credential than it serves with, the fingerprint the file holds. */
export type ResolvedAccount = { readonly account: Account; readonly staleFingerprint?: string }

/** Claims of both tokens; the access token, which the upstream sees, goes first. */
export function claimsOfTokens({ idToken, accessToken }: Pick<AccountDraft, "idToken" | "accessToken">): TokenClaims {
  const access = accessToken === undefined ? {} : readTokenClaims(accessToken)
  // Most access tokens say everything, and decoding a second token for each of a thousand accounts is felt at start.
  if (idToken === undefined || idToken === accessToken || saysEverything(access)) return access
  const { expiresAtMs, issuedAtMs, ...who } = readTokenClaims(idToken)
  return { ...who, ...access }
}

function saysEverything({ workspaceId, userId, email, plan, fedramp }: TokenClaims): boolean {
  return [workspaceId, userId, email, plan, fedramp].every(claim => claim !== undefined)
}

function credentialOf(draft: AccountDraft, expiresAtMs: number | undefined): Credential {
  const { apiKey, baseUrl, accessToken, refreshToken, idToken, lastRefreshAtMs } = draft
  if (apiKey !== undefined) return { type: "api-key", apiKey, generation: 0, ...compact({ baseUrl }) }
  // A bare refresh token: nothing to serve with until the first refresh, so the access token counts as long expired.
  const endsAtMs = accessToken === undefined ? 0 : expiresAtMs
  const known = compact({ refreshToken, idToken, lastRefreshAtMs, expiresAtMs: endsAtMs })
  return { type: "chatgpt", accessToken: accessToken ?? "", generation: 0, ...known }
}

/** The name of an account of which nothing is known yet. */
export const UNNAMED_LABEL = "unnamed account"

/** Makes the account an entry describes, before the store is asked. Without a path it will live in the database. */
export function accountFromDraft(draft: AccountDraft, path?: string): Account {
  const source: AccountSource = path === undefined ? { type: "store" } : { type: "file", path, index: draft.index }
  const claims = claimsOfTokens(draft)
  const workspaceId = draft.workspaceId ?? claims.workspaceId
  const userId = draft.userId ?? claims.userId
  const email = claims.email ?? draft.email
  const plan = claims.plan ?? draft.plan
  const fedramp = claims.fedramp === true ? claims.fedramp : undefined
  const isLasting = hasLastingIdentity({ userId, workspaceId })
  const fingerprint = isLasting || draft.refreshToken === undefined ? undefined : refreshFingerprint(draft.refreshToken)
  return {
    id: makeAccountId({ userId, workspaceId, fingerprint, apiKey: draft.apiKey, place: placeOf(draft, source) }),
    provider: draft.provider,
    label: email ?? draft.label ?? (path === undefined ? UNNAMED_LABEL : basename(path)),
    ...compact({ email, plan, workspaceId, userId, fedramp }),
    disabled: draft.disabled,
    // The expiry inside the access token is the truth; the file's own note may be of an earlier token.
    credential: credentialOf(draft, claims.expiresAtMs ?? draft.expiresAtMs),
    source,
  }
}

/** What tells an account apart of which nothing lasting is known. */
function placeOf({ accessToken = "" }: AccountDraft, source: AccountSource): string {
  return source.type === "file" ? `path\n${source.path}\n${source.index}` : `access\n${accessToken}`
}

function fingerprintOf(credential: Credential): string | undefined {
  if (credential.type === "api-key" || credential.refreshToken === undefined) return undefined
  return refreshFingerprint(credential.refreshToken)
}

/** Ids made from a refresh token change with it; the store knows under which id the token's line began. */
function findRemembered(account: Account, memory: CredentialMemory): RememberedCredential | undefined {
  if (hasLastingIdentity(account)) return memory.byAccount(account.id)
  const fingerprint = fingerprintOf(account.credential)
  return fingerprint === undefined ? undefined : memory.byFingerprint(fingerprint)[0]
}

/**
 * Decides between the file and the store. The store wins when the file still holds the token the store's one replaced, or
 * one that is older; a file with another, newer token was replaced by its owner and wins with a higher generation.
 */
export function resolveAccount(account: Account, memory: CredentialMemory): ResolvedAccount {
  const remembered = findRemembered(account, memory)
  const fingerprint = remembered === undefined ? undefined : fingerprintOf(account.credential)
  if (remembered === undefined || fingerprint === undefined) return { account }
  const id = remembered.accountId
  const { generation } = remembered.credential
  if (fingerprint === remembered.fingerprint) {
    return { account: { ...account, id, credential: { ...account.credential, generation } } }
  }
  const isReplaced = fingerprint === remembered.previousFingerprint
  if (isReplaced || isNewerCredential(remembered.credential, account.credential)) {
    return { account: { ...account, id, credential: remembered.credential }, staleFingerprint: fingerprint }
  }
  return {
    account: { ...account, id, credential: { ...account.credential, generation: generation + 1 } },
  }
}
