/** Carries out the plan of an import: one file an account, existing files brought up to date in their own layout. */

import { mkdirSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { basename, dirname } from "node:path"

import type { Account } from "#core/account.ts"
import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"

import { accountFromDraft } from "./account-from-draft.ts"
import { replaceFile, syncDirectory, writeNewFileNow } from "./atomic-write.ts"
import { decodeEntry } from "./formats/decode-entry.ts"
import { encodeFlat } from "./formats/encode-flat.ts"
import type { FileEntry } from "./formats/file-layout.ts"
import { replaceWhere } from "./formats/replace-credential.ts"
import { hasLastingIdentity } from "./identity.ts"
import { type ImportPlan, type ImportResult, type PlannedWrite, SLICE_MS } from "./import-plan.ts"

/** What carrying out needs. */
export type ApplyParts = {
  readonly authDir: string
  readonly clock: Clock
  readonly pause: () => Promise<void>
  readonly signal: AbortSignal
  /** Told now and then how many of how many accounts are written. */
  readonly onProgress?: (written: number, total: number) => void
}

/**
 * Imports of more accounts than this leave the syncing to the system, which does it within half a minute: the source is
 * still there if the power goes. Syncing 10,000 files takes 5 s and more, writing them 0.6 s.
 */
const MAX_SYNCED = 256

function describe(error: unknown): string {
  if (error instanceof GatewayError) return error.message
  return error instanceof Error && "code" in error ? String(error.code) : "unexpected content"
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

async function writeOne(write: PlannedWrite, options: { readonly isSynced: boolean }): Promise<void> {
  if (write.rewrites !== undefined) return rewrite(write)
  writeNewFileNow({ path: write.account.source.path, text: textOf(write.account), ...options })
}

/** Writes everything; returns why for the accounts that could not be written. */
async function writeAll(writes: readonly PlannedWrite[], parts: ApplyParts): Promise<ReadonlyMap<AccountId, string>> {
  const failures = new Map<AccountId, string>()
  const isSynced = writes.length <= MAX_SYNCED
  let sliceEndsAtMs = parts.clock() + SLICE_MS
  for (const [index, write] of writes.entries()) {
    try {
      await writeOne(write, { isSynced })
    } catch (error) {
      failures.set(write.account.id, `could not be written: ${describe(error)}`)
    }
    if (parts.clock() < sliceEndsAtMs) continue
    parts.onProgress?.(index + 1, writes.length)
    await parts.pause()
    parts.signal.throwIfAborted()
    sliceEndsAtMs = parts.clock() + SLICE_MS
  }
  return failures
}

function withFailure(result: ImportResult, failures: ReadonlyMap<AccountId, string>): ImportResult {
  const reason = result.accountId === undefined ? undefined : failures.get(result.accountId)
  return reason === undefined || result.outcome === "unchanged" ? result : { ...result, outcome: "refused", reason }
}

/**
 * Carries out a plan and returns every entry's result. A file that cannot be written turns its entries into refused ones
 * and leaves the others alone. Creates the directory with mode 0700. Rejects with the signal's reason when it aborts;
 * what was written until then stays.
 */
export async function applyImport(plan: ImportPlan, parts: ApplyParts): Promise<readonly ImportResult[]> {
  if (plan.writes.length === 0) return plan.results
  try {
    mkdirSync(parts.authDir, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new GatewayError("internal", `${parts.authDir} cannot be made (${describe(cause)}).`, { cause })
  }
  const failures = await writeAll(plan.writes, parts)
  if (plan.writes.length <= MAX_SYNCED) {
    const directories = new Set(plan.writes.map(write => dirname(write.account.source.path)))
    for (const directory of directories) await syncDirectory(directory)
  }
  return failures.size === 0 ? plan.results : plan.results.map(result => withFailure(result, failures))
}
