/** Draft + tokens' claims + what the store remembers → account. */

import { basename } from "node:path"

import type { Account, AccountSource, Credential } from "#core/account.ts"
import type { AccountId } from "#core/ids.ts"

import { refreshFingerprint } from "./fingerprint.ts"
import type { AccountDraft } from "./formats/account-draft.ts"
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
function claimsOf({ idToken, accessToken }: AccountDraft): TokenClaims {
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
  if (draft.apiKey !== undefined) {
    return { type: "api-key", apiKey: draft.apiKey, generation: 0, ...pick(draft, "baseUrl") }
  }
  // A bare refresh token: nothing to serve with until the first refresh, so the access token counts as long expired.
  const bare = draft.accessToken === undefined
  return {
    type: "chatgpt",
    accessToken: draft.accessToken ?? "",
    ...pick(draft, "refreshToken"),
    ...pick(draft, "idToken"),
    ...pick(draft, "lastRefreshAtMs"),
    ...(bare ? { expiresAtMs: 0 } : expiresAtMs === undefined ? {} : { expiresAtMs }),
    generation: 0,
  }
}

function pick<K extends keyof AccountDraft>(draft: AccountDraft, key: K): Pick<AccountDraft, K> | Record<never, never> {
  return draft[key] === undefined ? {} : { [key]: draft[key] }
}

/** Makes the account a file's entry describes, before the store is asked. */
export function accountFromDraft(draft: AccountDraft, path: string): Account {
  const source: AccountSource = { path, index: draft.index }
  const claims = claimsOf(draft)
  const workspaceId = draft.workspaceId ?? claims.workspaceId
  const userId = draft.userId ?? claims.userId
  const email = claims.email ?? draft.email
  const plan = claims.plan ?? draft.plan
  const fingerprint = draft.refreshToken === undefined ? undefined : refreshFingerprint(draft.refreshToken)
  return {
    id: makeAccountId({ userId, workspaceId, fingerprint, apiKey: draft.apiKey, ...source }),
    provider: draft.provider,
    label: email ?? draft.label ?? basename(path),
    ...(email === undefined ? {} : { email }),
    ...(plan === undefined ? {} : { plan }),
    ...(workspaceId === undefined ? {} : { workspaceId }),
    ...(userId === undefined ? {} : { userId }),
    ...(claims.fedramp === true ? { fedramp: true } : {}),
    disabled: draft.disabled,
    // The expiry inside the access token is the truth; the file's own note may be of an earlier token.
    credential: credentialOf(draft, claims.expiresAtMs ?? draft.expiresAtMs),
    source,
  }
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
