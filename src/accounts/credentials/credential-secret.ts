/** A credential as the text that is sealed and stored, and back. */

import { refreshFingerprint, sha256Hex } from "#accounts/fingerprint.ts"
import { compact } from "#accounts/formats/compact.ts"
import type { Credential } from "#core/account.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import { arrayAt, type JsonObject, numberAt, parseJsonObject, stringAt } from "#core/json.ts"

/** What a row's text holds: the credential, and the fingerprints of the last tokens of its line that were used up. */
export type StoredSecret = { readonly credential: Credential; readonly spent: readonly string[] }

/** Turns a credential into text; the generation stands beside it in the row. */
export function writeSecret(credential: Credential, spent?: readonly string[]): string {
  if (credential.type === "api-key") {
    const { apiKey, baseUrl } = credential
    return JSON.stringify({ apiKey, baseUrl })
  }
  const { accessToken, refreshToken, idToken, expiresAtMs, lastRefreshAtMs } = credential
  return JSON.stringify({ accessToken, refreshToken, idToken, expiresAtMs, lastRefreshAtMs, spent })
}

/** Reads the text back. Throws `internal` for a text that is no credential, without quoting it. */
export function readSecret(
  text: string,
  row: { readonly accountId: AccountId; readonly generation: number },
): StoredSecret {
  const value = parseJsonObject(text)
  const credential = value === undefined ? undefined : credentialIn(value, row.generation)
  if (value !== undefined && credential !== undefined) {
    return { credential, spent: (arrayAt(value, "spent") ?? []).filter(entry => typeof entry === "string") }
  }
  throw new GatewayError("internal", `The stored credential of ${row.accountId} is not readable.`)
}

function credentialIn(value: JsonObject, generation: number): Credential | undefined {
  const apiKey = stringAt(value, "apiKey")
  if (apiKey !== undefined) {
    return { type: "api-key", apiKey, generation, ...compact({ baseUrl: stringAt(value, "baseUrl") }) }
  }
  const accessToken = stringAt(value, "accessToken")
  if (accessToken === undefined) return undefined
  const optional = compact({
    refreshToken: stringAt(value, "refreshToken"),
    idToken: stringAt(value, "idToken"),
    expiresAtMs: numberAt(value, "expiresAtMs"),
    lastRefreshAtMs: numberAt(value, "lastRefreshAtMs"),
  })
  return { type: "chatgpt", accessToken, generation, ...optional }
}

/** What rows are found by: the refresh token's fingerprint, or of what else there is one nobody can refresh with. */
export function credentialFingerprint(credential: Credential): string {
  if (credential.type === "api-key") return sha256Hex(`key\n${credential.apiKey}`)
  return credential.refreshToken === undefined
    ? sha256Hex(`access\n${credential.accessToken}`)
    : refreshFingerprint(credential.refreshToken)
}
