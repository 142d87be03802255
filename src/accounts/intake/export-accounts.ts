/** Accounts → the text of a file in one of the shapes other programs read. The text holds secrets. */

import { compact } from "#accounts/formats/compact.ts"
import { encodeFlat, portableLabel } from "#accounts/formats/encode-flat.ts"
import type { ListFormat } from "#accounts/formats/format-names.ts"
import type { Account, Credential } from "#core/account.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import type { JsonObject } from "#core/json.ts"

/** The shapes that can be given out. */
export type ExportFormat = Exclude<ListFormat, "tokens">

/** An account the shape has no place for, and why. */
export type SkippedAccount = { readonly id: AccountId; readonly reason: string }

/** The text and what is not in it. */
export type ExportedText = {
  readonly text: string
  readonly count: number
  readonly skipped: readonly SkippedAccount[]
}

type ChatGptCredential = Extract<Credential, { type: "chatgpt" }>

/** One account in one shape: a member of the list, a line, or why it does not fit. */
type Encoded = { readonly value: JsonObject } | { readonly line: string } | { readonly reason: string }

type Writer = {
  readonly encode: (account: Account) => Encoded
  /** Puts the members together; a shape for a single account gets exactly one. */
  readonly wrap: (values: readonly JsonObject[], nowMs: number) => JsonObject | readonly JsonObject[]
  readonly isSingle?: true
}

const NO_KEY = { reason: "an API key has no place in this format" }
const NO_REFRESH = { reason: "it has no refresh token" }
const NO_ACCESS = { reason: "it has no access token yet" }

/** Encodes accounts that sign in with tokens; keys do not fit. */
function forTokens(
  encode: (account: Account, credential: ChatGptCredential) => Encoded,
): (account: Account) => Encoded {
  return account => (account.credential.type === "api-key" ? NO_KEY : encode(account, account.credential))
}

/** Encodes tokens where the reader insists on an access token. */
function forFullTokens(
  encode: (account: Account, credential: ChatGptCredential) => JsonObject,
): (account: Account) => Encoded {
  return forTokens((account, credential) =>
    credential.accessToken === "" ? NO_ACCESS : { value: encode(account, credential) },
  )
}

function listOf(values: readonly JsonObject[]): readonly JsonObject[] {
  return values
}

function single(values: readonly JsonObject[]): JsonObject {
  return values[0] ?? {}
}

function textTime(timeMs: number | undefined): string | undefined {
  return timeMs === undefined ? undefined : new Date(timeMs).toISOString()
}

/** The tokens as the Codex client keeps them; https://github.com/openai/codex, codex-rs/login/src/auth. */
function clientTokens({ workspaceId }: Account, credential: ChatGptCredential): JsonObject {
  const { idToken = "", accessToken, refreshToken = "" } = credential
  return {
    id_token: idToken,
    access_token: accessToken,
    refresh_token: refreshToken,
    ...compact({ account_id: workspaceId }),
  }
}

function encodeClientAuth(account: Account): Encoded {
  const { credential } = account
  if (credential.type === "api-key") {
    return { value: { auth_mode: "apikey", OPENAI_API_KEY: credential.apiKey, tokens: null } }
  }
  if (credential.accessToken === "") return NO_ACCESS
  // Without a refresh token the client must not try to renew.
  const mode = credential.refreshToken === undefined ? "chatgptAuthTokens" : "chatgpt"
  const tokens = clientTokens(account, credential)
  const last = compact({ last_refresh: textTime(credential.lastRefreshAtMs) })
  return { value: { auth_mode: mode, OPENAI_API_KEY: null, tokens, ...last } }
}

/** https://github.com/Wei-Shaw/sub2api. */
function encodeSub2Api(account: Account): Encoded {
  const { credential, label, email, plan, workspaceId, userId } = account
  const shared = { name: label, platform: "openai", extra: {}, concurrency: 3, priority: 50 }
  if (credential.type === "api-key") {
    const key = compact({ api_key: credential.apiKey, base_url: credential.baseUrl })
    return { value: { ...shared, type: "apikey", credentials: key } }
  }
  const credentials = compact({
    access_token: credential.accessToken === "" ? undefined : credential.accessToken,
    refresh_token: credential.refreshToken,
    id_token: credential.idToken,
    email,
    chatgpt_account_id: workspaceId,
    chatgpt_user_id: userId,
    plan_type: plan,
    expires_at: credential.expiresAtMs === 0 ? undefined : textTime(credential.expiresAtMs),
  })
  return { value: { ...shared, type: "oauth", credentials } }
}

function encodeCodexLb({ workspaceId, userId, email, plan }: Account, credential: ChatGptCredential): JsonObject {
  const { accessToken, refreshToken, idToken } = credential
  const tokens = compact({ access_token: accessToken, refresh_token: refreshToken, id_token: idToken })
  return {
    ...compact({ chatgpt_account_id: workspaceId, chatgpt_user_id: userId, email, plan_type: plan }),
    credentials: { auth_mode: "chatgpt", ...tokens },
  }
}

function encodeDvcrn(account: Account, credential: ChatGptCredential): JsonObject {
  return { tokens: { ...clientTokens(account, credential), ...compact({ expiresAt: credential.expiresAtMs }) } }
}

/** https://github.com/anomalyco/opencode. */
function encodeOpencode(account: Account): Encoded {
  const { credential, workspaceId } = account
  if (credential.type === "api-key") return { value: { openai: { type: "api", key: credential.apiKey } } }
  if (credential.accessToken === "") return NO_ACCESS
  if (credential.refreshToken === undefined) return NO_REFRESH
  const { refreshToken, accessToken, expiresAtMs = 0 } = credential
  const entry = { type: "oauth", refresh: refreshToken, access: accessToken, expires: expiresAtMs }
  return { value: { openai: { ...entry, ...compact({ accountId: workspaceId }) } } }
}

const FLAT: Writer = { encode: account => ({ value: encodeFlat(account) }), wrap: listOf }

const WRITERS: Readonly<Record<ExportFormat, Writer>> = {
  flat: FLAT,
  codex2api: { ...FLAT, encode: forTokens(account => ({ value: encodeFlat(account) })) },
  proxycast: { ...FLAT, wrap: single, isSingle: true },
  minimal: {
    encode: forTokens((account, { refreshToken }) =>
      refreshToken === undefined
        ? NO_REFRESH
        : { value: { refresh_token: refreshToken, ...compact({ label: portableLabel(account) }) } },
    ),
    wrap: listOf,
  },
  "refresh-tokens": {
    encode: forTokens((_, { refreshToken }) => (refreshToken === undefined ? NO_REFRESH : { line: refreshToken })),
    wrap: listOf,
  },
  "access-tokens": {
    encode: forTokens((_, { accessToken }) => (accessToken === "" ? NO_ACCESS : { line: accessToken })),
    wrap: listOf,
  },
  "codex-auth": { encode: encodeClientAuth, wrap: single, isSingle: true },
  icebear: {
    encode: forTokens((account, { accessToken, refreshToken }) => ({
      value: compact({
        token: accessToken === "" ? undefined : accessToken,
        refreshToken,
        label: portableLabel(account),
      }),
    })),
    wrap: values => ({ accounts: values }),
  },
  sub2api: {
    encode: encodeSub2Api,
    wrap: (values, nowMs) => ({
      type: "sub2api-data",
      version: 1,
      exported_at: new Date(nowMs).toISOString(),
      proxies: [],
      accounts: values,
    }),
  },
  "codex-lb": {
    encode: forFullTokens(encodeCodexLb),
    wrap: (values, nowMs) => ({ version: 1, created_at: new Date(nowMs).toISOString(), accounts: values }),
  },
  dvcrn: { encode: forFullTokens(encodeDvcrn), wrap: single, isSingle: true },
  opencode: { encode: encodeOpencode, wrap: single, isSingle: true },
}

function refuseSeveral(format: ExportFormat, count: number): GatewayError {
  return new GatewayError("invalid-request", `the format ${format} holds one account, and ${count} are chosen`, {
    hint: "Name one account, or choose another format.",
  })
}

/** Writes the accounts in `format`. Throws `invalid-request` when the format holds one account and several are given. */
export function exportAccounts(accounts: Iterable<Account>, format: ExportFormat, nowMs: number): ExportedText {
  const { encode, wrap, isSingle } = WRITERS[format]
  const values: JsonObject[] = []
  const lines: string[] = []
  const skipped: SkippedAccount[] = []
  for (const account of accounts) {
    const encoded = encode(account)
    if ("reason" in encoded) skipped.push({ id: account.id, reason: encoded.reason })
    else if ("line" in encoded) lines.push(encoded.line)
    else values.push(encoded.value)
  }
  if (isSingle && values.length > 1) throw refuseSeveral(format, values.length)
  if (format === "refresh-tokens" || format === "access-tokens") {
    return { text: lines.map(line => `${line}\n`).join(""), count: lines.length, skipped }
  }
  return { text: `${JSON.stringify(wrap(values, nowMs), undefined, 2)}\n`, count: values.length, skipped }
}
