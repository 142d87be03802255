/** Finds what the store remembers of a file's account, under whichever name the line of its tokens was kept. */

import type { CredentialMemory, RememberedCredential } from "#accounts/account-from-draft.ts"
import { refreshFingerprint } from "#accounts/fingerprint.ts"
import { hasLastingIdentity, isNewerCredential, lastingIdOf } from "#accounts/identity.ts"
import { readTokenClaims } from "#accounts/jwt.ts"
import type { Account, Credential } from "#core/account.ts"

/** Fingerprint of a credential's refresh token; undefined when it has none. */
export function fingerprintOf(credential: Credential): string | undefined {
  if (credential.type === "api-key" || credential.refreshToken === undefined) return undefined
  return refreshFingerprint(credential.refreshToken)
}

/** True for a token that the remembered one replaced, directly or by several steps. */
export function isSpent(
  fingerprint: string,
  { previousFingerprint, spentFingerprints = [] }: RememberedCredential,
): boolean {
  return fingerprint === previousFingerprint || spentFingerprints.includes(fingerprint)
}

/**
 * A line of tokens that began under the name of its first token goes on under user and workspace as soon as a file with
 * these was read. Whoever finds its beginning, in a file that was put back, must not take that for its end.
 */
function endOfLine(found: RememberedCredential, memory: CredentialMemory): RememberedCredential {
  if (found.credential.type === "api-key") return found
  const id = lastingIdOf(readTokenClaims(found.credential.accessToken))
  if (id === undefined) return found
  const later = id === found.accountId ? undefined : memory.byAccount(id)
  if (later === undefined) return found
  return isSpent(found.fingerprint, later) || isNewerCredential(later.credential, found.credential) ? later : found
}

/** Returns the newest credential of the account's line; undefined when the store knows nothing of it. */
export function findRemembered(account: Account, memory: CredentialMemory): RememberedCredential | undefined {
  const fingerprint = fingerprintOf(account.credential)
  const byToken = () => (fingerprint === undefined ? undefined : memory.byFingerprint(fingerprint)[0])
  if (hasLastingIdentity(account)) return memory.byAccount(account.id) ?? byToken()
  // Its name comes from the file's token: as long as the file stays as it is, so does the name.
  const found = byToken() ?? memory.byAccount(account.id)
  return found === undefined ? undefined : endOfLine(found, memory)
}
