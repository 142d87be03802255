/** Who may come in: bearer tokens with their account header, or API keys on the public paths. */

import type { UpstreamMode } from "#simulator/checks/checked-call.ts"
import { accessRefusal, detailRefusal, errorRefusal, type Refusal } from "#simulator/refusal.ts"
import type { World } from "#simulator/world.ts"

import type { SimulatedAccount } from "./accounts.ts"
import type { AccessState } from "./sessions.ts"

/** The account a request speaks for, or why it may not. */
export type Access = { readonly account: SimulatedAccount } | { readonly refusal: Refusal }

/** Checks the credential, then the state of the account, then the workspace header. */
export function authorise(world: World, headers: Headers, mode: UpstreamMode): Access {
  const token = /^Bearer\s+(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1]
  if (mode === "api-key") return authoriseKey(world, token)
  if (token === undefined) return { refusal: detailRefusal("Unauthorized", 401) }
  const session = world.sessions.readAccess(token)
  if (session === undefined) {
    const text = "Could not parse your authentication token. Please try signing in again."
    return { refusal: detailRefusal(text, 401) }
  }
  const account = world.accounts.get(session.name)
  const refusal = refuseState(session.state) ?? refuseLifecycle(account) ?? refuseWorkspace(account, headers)
  return refusal === undefined ? { account } : { refusal }
}

function authoriseKey(world: World, key: string | undefined): Access {
  const account = key === undefined ? undefined : world.accounts.byApiKey(key)
  if (account !== undefined) return { account }
  const message = key === undefined ? "Missing bearer authentication in header" : "Incorrect API key provided."
  return { refusal: errorRefusal({ status: 401, message, code: "invalid_api_key" }) }
}

function refuseState(state: AccessState): Refusal | undefined {
  switch (state) {
    case "live":
      return undefined
    case "expired":
      return accessRefusal("token_expired", "Provided authentication token is expired. Please try signing in again.")
    case "invalidated":
      return accessRefusal(
        "token_invalidated",
        "Your authentication token has been invalidated. Please try signing in again.",
      )
    case "revoked":
      return accessRefusal("token_revoked", "Encountered invalidated oauth token for user, failing request")
  }
}

function refuseLifecycle(account: SimulatedAccount): Refusal | undefined {
  switch (account.lifecycle) {
    case "active":
      return undefined
    case "deactivated":
      return accessRefusal("account_deactivated", "Your OpenAI account has been deactivated.")
    case "workspace-deactivated":
      return detailRefusal({ code: "deactivated_workspace" }, 402)
  }
}

/** A missing header is refused too: a client that forgets it would meet the wrong workspace. */
function refuseWorkspace(account: SimulatedAccount, headers: Headers): Refusal | undefined {
  if (headers.get("chatgpt-account-id") === account.workspaceId) return undefined
  return detailRefusal({ code: "invalid_workspace_selected" }, 403)
}
