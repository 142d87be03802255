/** Writes one account of an import: a new file, or its entry in the file that holds it. */

import { readFile } from "node:fs/promises"
import { basename } from "node:path"

import type { Account } from "#core/account.ts"
import { GatewayError } from "#core/errors.ts"

import { accountFromDraft } from "./account-from-draft.ts"
import { replaceFile, writeNewFileNow } from "./atomic-write.ts"
import { decodeEntry } from "./formats/decode-entry.ts"
import { encodeFlat } from "./formats/encode-flat.ts"
import type { FileEntry } from "./formats/file-layout.ts"
import { replaceWhere } from "./formats/replace-credential.ts"
import { hasLastingIdentity } from "./identity.ts"
import type { PlannedWrite } from "./import-plan.ts"

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
function describes(account: Account): (entry: FileEntry) => boolean {
  const held = refreshTokenOf(account)
  return ({ value, index }) => {
    try {
      const draft = decodeEntry(value, index)
      const found = accountFromDraft(draft, account.source.path)
      if (found.id === account.id || (held !== undefined && draft.refreshToken === held)) return true
      return index === account.source.index && !hasLastingIdentity(found)
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      // An entry that cannot be read is nobody's.
      return false
    }
  }
}

function textOf(account: Account): string {
  return `${JSON.stringify(encodeFlat(account), undefined, 2)}\n`
}

/** The file may hold others too, or be in another layout: only this account's tokens change. */
async function rewrite({ account, rewrites = account }: PlannedWrite): Promise<void> {
  const { path } = rewrites.source
  const { credential } = account
  // A key is its own identity: there is no newer one of the same account.
  if (credential.type === "api-key") return
  const next = replaceWhere(await readFile(path, "utf8"), describes(rewrites), credential)
  if (next === undefined) throw new GatewayError("internal", `${basename(path)} changed meanwhile; import again`)
  await replaceFile(path, next)
}

/** Writes one account's new file, or brings its present file up to date. Rejects with what went wrong. */
export async function writePlanned(write: PlannedWrite, options: { readonly isSynced: boolean }): Promise<void> {
  if (write.rewrites !== undefined) return rewrite(write)
  writeNewFileNow({ path: write.account.source.path, text: textOf(write.account), ...options })
}
