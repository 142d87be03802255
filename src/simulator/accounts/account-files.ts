/** An account's credential in the file shapes people import. */

import type { SimulatedAccount } from "./accounts.ts"
import type { TokenSet } from "./sessions.ts"

/** One account a file, flat, as CLIProxyAPI and XxxXTeam/codex-proxy keep it. */
export type AccountFile = {
  readonly type: "codex"
  readonly email: string
  readonly account_id: string
  readonly access_token: string
  readonly refresh_token: string
  readonly id_token: string
  /** RFC 3339. */
  readonly expired: string
  readonly last_refresh: string
}

/** The Codex CLI's `~/.codex/auth.json`. */
export type CodexAuthFile = {
  readonly auth_mode: "chatgpt"
  readonly OPENAI_API_KEY: null
  readonly tokens: {
    readonly id_token: string
    readonly access_token: string
    readonly refresh_token: string
    readonly account_id: string
  }
  readonly last_refresh: string
}

/** Writes the flat shape. */
export function accountFile(account: SimulatedAccount, set: TokenSet): AccountFile {
  return {
    type: "codex",
    email: account.email,
    account_id: account.workspaceId,
    access_token: set.accessToken,
    refresh_token: set.refreshToken,
    id_token: set.idToken,
    expired: dateText(set.expiresAtSec),
    last_refresh: dateText(set.expiresAtSec - set.lifetimeSec),
  }
}

/** Writes the CLI's shape. */
export function codexAuthFile(account: SimulatedAccount, set: TokenSet): CodexAuthFile {
  return {
    auth_mode: "chatgpt",
    OPENAI_API_KEY: null,
    tokens: {
      id_token: set.idToken,
      access_token: set.accessToken,
      refresh_token: set.refreshToken,
      account_id: account.workspaceId,
    },
    last_refresh: dateText(set.expiresAtSec - set.lifetimeSec),
  }
}

function dateText(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
