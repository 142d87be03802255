/** One entry of an account file → draft: the flat layout of the proxies and the layout of the Codex client. */

import { GatewayError } from "#core/errors.ts"
import { arrayAt, type JsonObject, objectAt, stringAt } from "#core/json.ts"

import type { AccountDraft, AccountFormat } from "./account-draft.ts"
import { type Compact, compact } from "./compact.ts"
import { findField, textField } from "./field-aliases.ts"
import { readFileTime } from "./file-time.ts"
import { foreignVendor } from "./token-shape.ts"

function refuse(reason: string): GatewayError {
  return new GatewayError("invalid-request", reason)
}

function timeField(entry: JsonObject, field: "expiresAt" | "lastRefresh"): number | undefined {
  const place = findField(entry, field)
  return place === undefined ? undefined : readFileTime(place.holder[place.key])
}

function isDisabled(entry: JsonObject): boolean {
  const place = findField(entry, "disabled")
  const value = place?.holder[place.key]
  return value === true || value === "true"
}

function describedBy(entry: JsonObject): Compact<Pick<AccountDraft, "email" | "label" | "plan" | "baseUrl">> {
  return compact({
    email: textField(entry, "email"),
    label: textField(entry, "label"),
    plan: textField(entry, "plan"),
    baseUrl: textField(entry, "baseUrl"),
  })
}

function decodeTokens(entry: JsonObject): Compact<AccountDraft> {
  return compact({
    accessToken: textField(entry, "accessToken"),
    refreshToken: textField(entry, "refreshToken"),
    idToken: textField(entry, "idToken"),
    workspaceId: textField(entry, "workspaceId"),
    userId: textField(entry, "userId"),
    expiresAtMs: timeField(entry, "expiresAt"),
    lastRefreshAtMs: timeField(entry, "lastRefresh"),
  })
}

const MISSING_TOKENS = 'needs "access_token" or "refresh_token" (also "rk")'

const LIST = 'holds a list in "accounts": take it in with `sluice accounts import`'

function decodeFlat(entry: JsonObject, index: number): AccountDraft {
  if (arrayAt(entry, "accounts") !== undefined) throw refuse(LIST)
  const type = stringAt(entry, "type")?.trim()
  if (type !== undefined && type !== "" && type !== "codex")
    throw refuse(`"type" is not "codex": other services are not served`)
  const shared = { format: "flat", index, disabled: isDisabled(entry), ...describedBy(entry) } as const
  const tokens = decodeTokens(entry)
  if (tokens.accessToken !== undefined || tokens.refreshToken !== undefined) {
    return { ...shared, provider: "codex", ...tokens }
  }
  const apiKey = textField(entry, "apiKey")
  if (apiKey === undefined) throw refuse(MISSING_TOKENS)
  return { ...shared, provider: "openai-api", apiKey }
}

type AuthKind = "chatgpt" | "external" | "api-key" | "unsupported"

/** `auth_mode` as the Codex client writes it; https://github.com/openai/codex, codex-rs/login/src/auth. */
const AUTH_MODES: Readonly<Record<string, AuthKind>> = {
  chatgpt: "chatgpt",
  chatgptauthtokens: "external",
  apikey: "api-key",
}

/** Old files have no `auth_mode` and may hold both: then a key that is not blank wins, as it does for the client. */
function authKindOf(entry: JsonObject): AuthKind {
  const mode = textField(entry, "authMode")
  if (mode !== undefined) return AUTH_MODES[mode.toLowerCase().replace(/[_-]/g, "")] ?? "unsupported"
  return textField(entry, "apiKey") === undefined ? "chatgpt" : "api-key"
}

function decodeCodexAuth(entry: JsonObject, index: number): AccountDraft {
  const kind = authKindOf(entry)
  const shared = { format: "codex-auth", index, disabled: isDisabled(entry), ...describedBy(entry) } as const
  if (kind === "unsupported") throw refuse('"auth_mode" names a way to sign in that is not supported')
  if (kind === "api-key") {
    const apiKey = textField(entry, "apiKey")
    if (apiKey === undefined) throw refuse('needs "OPENAI_API_KEY"')
    return { ...shared, provider: "openai-api", apiKey }
  }
  const { refreshToken, ...tokens } = decodeTokens(entry)
  if (tokens.accessToken === undefined && refreshToken === undefined) {
    throw refuse('needs "tokens.access_token" or "tokens.refresh_token"')
  }
  // Externally managed tokens are renewed by their own manager: refreshing them here would break it.
  const renewable = kind === "chatgpt" && refreshToken !== undefined ? { refreshToken } : {}
  return { ...shared, provider: "codex", ...tokens, ...renewable }
}

const CODEX_AUTH: AccountFormat = {
  name: "codex-auth",
  matches: entry =>
    objectAt(entry, "tokens") !== undefined ||
    entry["auth_mode"] !== undefined ||
    entry["OPENAI_API_KEY"] !== undefined,
  decode: decodeCodexAuth,
}

const FLAT: AccountFormat = { name: "flat", matches: () => true, decode: decodeFlat }

/** All layouts; the first that matches reads the entry. */
const ACCOUNT_FORMATS: readonly AccountFormat[] = [CODEX_AUTH, FLAT]

/** Reads one entry. Throws `invalid-request` whose message names the field at fault. */
export function decodeEntry(entry: JsonObject, index: number): AccountDraft {
  const format = ACCOUNT_FORMATS.find(candidate => candidate.matches(entry)) ?? FLAT
  const draft = format.decode(entry, index)
  const vendor = [draft.accessToken, draft.refreshToken, draft.apiKey]
    .map(foreignVendor)
    .find(name => name !== undefined)
  // Sent upstream it would hand one service's secret to another.
  if (vendor !== undefined) throw refuse(`its token is one of ${vendor}: other services are not served`)
  return draft
}
