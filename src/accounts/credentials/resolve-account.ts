/** Decides between the credential of a file and the one the store remembers. */

import type { CredentialMemory } from "#accounts/account-from-draft.ts"
import { compact } from "#accounts/formats/compact.ts"
import { hasLastingIdentity, isNewerCredential } from "#accounts/identity.ts"
import { readTokenClaims } from "#accounts/jwt.ts"
import type { Account, Credential } from "#core/account.ts"

import { findRemembered, fingerprintOf, isSpent } from "./find-remembered.ts"

/** An account and, when its file holds an older credential than it serves with, the fingerprint the file holds. */
export type ResolvedAccount = { readonly account: Account; readonly staleFingerprint?: string }

/** Fills in from a newer credential who the account is: a bare refresh token says nothing until its first exchange. */
export function withCredential(account: Account, credential: Credential): Account {
  if (hasLastingIdentity(account) || credential.type === "api-key") return { ...account, credential }
  const { workspaceId, userId, email, plan, fedramp } = readTokenClaims(credential.accessToken)
  const named = account.email === undefined && email !== undefined ? { label: email } : {}
  const claims = compact({ workspaceId, userId, email, plan, fedramp: fedramp === true ? fedramp : undefined })
  // What the file states counts more, as it does when the file is read.
  return { ...claims, ...account, ...named, credential }
}

function isSameToken(left: Credential, right: Credential): boolean {
  return left.type === "chatgpt" && right.type === "chatgpt" && left.accessToken === right.accessToken
}

/**
 * The store wins when the file still holds a token that was used up, or one that is older; a file with another, newer
 * token was replaced by its owner and wins with a higher generation.
 */
export function resolveAccount(account: Account, memory: CredentialMemory): ResolvedAccount {
  const fingerprint = fingerprintOf(account.credential)
  const remembered = fingerprint === undefined ? undefined : findRemembered(account, memory)
  if (remembered === undefined || fingerprint === undefined) return { account }
  // A lasting name stays, whatever name the line of tokens began under.
  const id = hasLastingIdentity(account) ? account.id : remembered.accountId
  const { generation } = remembered.credential
  if (fingerprint === remembered.fingerprint) {
    // The store knows by our own clock when a token expires that it has seen come.
    const credential = isSameToken(remembered.credential, account.credential)
      ? remembered.credential
      : { ...account.credential, generation }
    return { account: { ...account, id, credential } }
  }
  if (isSpent(fingerprint, remembered) || isNewerCredential(remembered.credential, account.credential)) {
    return { account: withCredential({ ...account, id }, remembered.credential), staleFingerprint: fingerprint }
  }
  return {
    account: { ...account, id, credential: { ...account.credential, generation: generation + 1 } },
  }
}
