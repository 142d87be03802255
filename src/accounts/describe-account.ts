/** An account as operators may see it: everything but its secrets. */

import { basename } from "node:path"

import { type Account, filePathOf } from "#core/account.ts"
import type { AccountId, ProviderId } from "#core/ids.ts"

import { compact } from "./formats/compact.ts"
import { refreshDueAtMs } from "./refresh/refresh-schedule.ts"

/** How much life a credential has left. `opaque` = nothing tells when it expires. */
export type CredentialState = "fresh" | "due" | "expired" | "opaque"

/** A description that may be shown to whoever may see the accounts; it holds no token and no fingerprint of one. */
export type AccountDescription = {
  readonly id: AccountId
  readonly provider: ProviderId
  readonly label: string
  readonly plan?: string
  readonly disabled: boolean
  readonly note?: string
  readonly tags?: readonly string[]
  /** Name of the file without its directory; absent for accounts in the database. */
  readonly file?: string
  readonly credential: {
    readonly type: "chatgpt" | "api-key"
    readonly state: CredentialState
    readonly canRefresh: boolean
    /** Number of rotations seen. */
    readonly generation: number
    /** Seconds until the access token expires; negative when it has. */
    readonly expiresInSec?: number
    /** RFC 3339. */
    readonly lastRefresh?: string
  }
}

function credentialState({ credential }: Account, nowMs: number): CredentialState {
  if (credential.type === "api-key" || credential.expiresAtMs === undefined) return "opaque"
  if (credential.expiresAtMs <= nowMs) return "expired"
  // Without the random part: what is due in any case.
  const dueAtMs = refreshDueAtMs(credential, nowMs, 0)
  return dueAtMs !== undefined && dueAtMs <= nowMs ? "due" : "fresh"
}

/** Describes an account at the time `nowMs`. */
export function describeAccount(account: Account, nowMs: number): AccountDescription {
  const { id, provider, label, plan, disabled, note, tags, credential } = account
  const path = filePathOf(account)
  const chatgpt = credential.type === "chatgpt" ? credential : undefined
  const expiresAtMs = chatgpt?.expiresAtMs
  const lastRefreshAtMs = chatgpt?.lastRefreshAtMs
  return {
    id,
    provider,
    label,
    ...compact({ plan, note, tags }),
    disabled,
    ...compact({ file: path === undefined ? undefined : basename(path) }),
    credential: {
      type: credential.type,
      state: credentialState(account, nowMs),
      canRefresh: chatgpt?.refreshToken !== undefined,
      generation: credential.generation,
      ...compact({
        expiresInSec: expiresAtMs === undefined ? undefined : Math.floor((expiresAtMs - nowMs) / 1000),
        lastRefresh: lastRefreshAtMs === undefined ? undefined : new Date(lastRefreshAtMs).toISOString(),
      }),
    },
  }
}
