/** Puts a source's terms on what its text holds. */

import type { AccountDraft } from "#accounts/formats/account-draft.ts"
import { compact } from "#accounts/formats/compact.ts"
import type { Account } from "#core/account.ts"

import type { SourceTerms } from "./named-source.ts"

/** The entry without what must not be used of it, and with the base URL it lacks. */
export function draftOnTerms(draft: AccountDraft, { isBorrowed, baseUrls }: SourceTerms): AccountDraft {
  const { refreshToken, ...rest } = draft
  const baseUrl = draft.baseUrl ?? baseUrls?.[draft.provider]
  const renewable = isBorrowed === true ? {} : compact({ refreshToken })
  return { ...rest, ...renewable, ...compact({ baseUrl }) }
}

/** The account with the name, the way out and the upstream its source gives it. */
export function accountOnTerms(account: Account, { label, egress, baseUrls }: SourceTerms): Account {
  // A key carries its base URL in its credential.
  const baseUrl = account.provider === "codex" ? baseUrls?.codex : undefined
  return { ...account, ...compact({ label, egress, baseUrl }) }
}
