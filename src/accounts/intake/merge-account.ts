/** Two descriptions of one account → one, the fresher token winning. */

import { compact } from "#accounts/formats/compact.ts"
import { hasLastingIdentity, isNewerCredential } from "#accounts/identity.ts"
import type { Account, Credential } from "#core/account.ts"

type ChatGptCredential = Extract<Credential, { type: "chatgpt" }>

function isFresher(found: ChatGptCredential, present: ChatGptCredential): boolean {
  if (found.accessToken === "" || found.accessToken === present.accessToken) return false
  return present.accessToken === "" || isNewerCredential(found, present)
}

/** Which of two credentials counts: the one that is fresher by its times, or the one that was found. */
export type Precedence = "fresher" | "found"

function mergeTokens(
  present: ChatGptCredential,
  found: ChatGptCredential,
  precedence: Precedence,
): Credential | undefined {
  const isSame = found.accessToken === present.accessToken && found.refreshToken === present.refreshToken
  if (precedence === "found" ? !isSame : isFresher(found, present)) {
    const kept = compact({ refreshToken: present.refreshToken, idToken: present.idToken })
    return { ...kept, ...found, generation: present.generation }
  }
  if (present.refreshToken !== undefined || found.refreshToken === undefined) return undefined
  return { ...present, refreshToken: found.refreshToken }
}

function mergeCredential(present: Credential, found: Credential, precedence: Precedence): Credential | undefined {
  // A key never changes, and the file of the present one says where it is used.
  if (present.type !== "chatgpt" || found.type !== "chatgpt") return undefined
  return mergeTokens(present, found, precedence)
}

/**
 * Returns `present` with what `found` knows better, or undefined when it knows nothing better. The place, the name and
 * whether it is disabled stay; the identity becomes the lasting one as soon as either has it, where the file says who it is.
 */
export function mergeAccount(
  present: Account,
  found: Account,
  precedence: Precedence = "fresher",
): Account | undefined {
  const credential = mergeCredential(present.credential, found.credential, precedence)
  if (credential === undefined) return undefined
  const { email, plan, workspaceId, userId } = found
  const isUnnamed = present.email === undefined && email !== undefined
  return {
    ...present,
    ...compact({ email, plan, workspaceId, userId }),
    ...(isUnnamed ? { label: email } : {}),
    ...(present.source.type === "file" && hasLastingIdentity(found) && !hasLastingIdentity(present)
      ? { id: found.id }
      : {}),
    credential,
  }
}
