/** An account → the flat entry that account files hold. */

import { UNNAMED_LABEL } from "#accounts/account-from-draft.ts"
import { type Account, filePathOf } from "#core/account.ts"
import type { JsonObject } from "#core/json.ts"

import { compact } from "./compact.ts"

function timeText(timeMs: number | undefined): string | undefined {
  return timeMs === undefined || timeMs === 0 ? undefined : new Date(timeMs).toISOString()
}

/** What to call the account elsewhere: its e-mail or the name its owner gave it; a file's name means nothing there. */
export function portableLabel(account: Account): string | undefined {
  return account.email ?? ownLabel(account)
}

/** The name its owner gave the account; undefined when the label is only the file's name or the e-mail again. */
function ownLabel(account: Account): string | undefined {
  const { label, email } = account
  const isFileName = filePathOf(account)?.endsWith(`/${label}`) === true
  return label === email || label === UNNAMED_LABEL || isFileName ? undefined : label
}

/** Makes the entry, with every field that is known and no other. */
export function encodeFlat(account: Account): JsonObject {
  const { credential, workspaceId, userId, email, plan } = account
  const shared = compact({
    email,
    label: ownLabel(account),
    plan_type: plan,
    disabled: account.disabled ? true : undefined,
  })
  if (credential.type === "api-key") {
    return { ...compact({ api_key: credential.apiKey, base_url: credential.baseUrl }), ...shared }
  }
  const tokens = compact({
    access_token: credential.accessToken === "" ? undefined : credential.accessToken,
    refresh_token: credential.refreshToken,
    id_token: credential.idToken,
    account_id: workspaceId,
    chatgpt_user_id: userId,
    expired: timeText(credential.expiresAtMs),
    last_refresh: timeText(credential.lastRefreshAtMs),
  })
  return { type: "codex", ...tokens, ...shared }
}
