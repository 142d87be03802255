/** Brings the entry of an account up to date in the file that holds it. */

import { readFile } from "node:fs/promises"
import { basename } from "node:path"

import { accountFromDraft } from "#accounts/account-from-draft.ts"
import { replaceFile } from "#accounts/atomic-write.ts"
import { decodeEntry } from "#accounts/formats/decode-entry.ts"
import type { FileEntry } from "#accounts/formats/file-layout.ts"
import { replaceWhere } from "#accounts/formats/replace-credential.ts"
import { hasLastingIdentity } from "#accounts/identity.ts"
import type { Account } from "#core/account.ts"
import { GatewayError } from "#core/errors.ts"

/** Says what the system or we had against a write; throws what neither expected, because it is a bug. */
export function describeWriteFailure(error: unknown): string {
  if (error instanceof GatewayError) return error.message
  if (error instanceof Error && "code" in error) return String(error.code)
  throw error
}

function refreshTokenOf({ credential }: Account): string | undefined {
  return credential.type === "chatgpt" ? credential.refreshToken : undefined
}

/**
 * Accepts the entry that describes `account`: the same id, the same refresh token, or, for an entry that says neither who
 * it is nor holds the token any more, the same place.
 */
function describes(path: string, account: Account): (entry: FileEntry) => boolean {
  const held = refreshTokenOf(account)
  return ({ value, index }) => {
    try {
      const draft = decodeEntry(value, index)
      const found = accountFromDraft(draft, path)
      if (found.id === account.id || (held !== undefined && draft.refreshToken === held)) return true
      return account.source.type === "file" && index === account.source.index && !hasLastingIdentity(found)
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      // An entry that cannot be read is nobody's.
      return false
    }
  }
}

/**
 * Puts the new tokens of `account` into the file at `path`, where `present` stands. The file may hold others too, or be in
 * another layout: only this account's tokens change. Rejects with what went wrong.
 */
export async function rewriteInFile(path: string, present: Account, account: Account): Promise<void> {
  const { credential } = account
  // A key is its own identity: there is no newer one of the same account.
  if (credential.type === "api-key") return
  const next = replaceWhere(await readFile(path, "utf8"), describes(path, present), credential)
  if (next === undefined) throw new GatewayError("internal", `${basename(path)} changed meanwhile; import again`)
  await replaceFile(path, next)
}
