/** Two descriptions of one account → one, the fresher token winning. */

import type { Account, Credential } from "#core/account.ts"

import { compact } from "./formats/compact.ts"
import { hasLastingIdentity, isNewerCredential } from "./identity.ts"

type ChatGptCredential = Extract<Credential, { type: "chatgpt" }>

function isFresher(found: ChatGptCredential, present: ChatGptCredential): boolean {
  if (found.accessToken === "" || found.accessToken === present.accessToken) return false
  return present.accessToken === "" || isNewerCredential(found, present)
}

function mergeTokens(present: ChatGptCredential, found: ChatGptCredential): Credential | undefined {
  if (isFresher(found, present)) {
    const kept = compact({ refreshToken: present.refreshToken, idToken: present.idToken })
    return { ...kept, ...found, generation: present.generation }
  }
  if (present.refreshToken !== undefined || found.refreshToken === undefined) return undefined
  return { ...present, refreshToken: found.refreshToken }
}

function mergeCredential(present: Credential, found: Credential): Credential | undefined {
  // A key never changes, and the file of the present one says where it is used.
  return present.type === "chatgpt" && found.type === "chatgpt" ? mergeTokens(present, found) : undefined
}

/**
 * Returns `present` with what `found` knows better, or undefined when it knows nothing better. The place, the name and
 * whether it is disabled stay; the identity becomes the lasting one as soon as either has it, where the file says who it is.
 */
export function mergeAccount(present: Account, found: Account): Account | undefined {
  const credential = mergeCredential(present.credential, found.credential)
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
