/** Carries out the plan of an import: new accounts go into the database, those that live in a file are brought up to date there. */

import type { NewStoredAccount } from "#accounts/sources/stored-accounts.ts"
import { type Account, filePathOf } from "#core/account.ts"
import type { AccountId } from "#core/ids.ts"

import { type ImportPlan, type ImportResult, type PlannedWrite, SIGN_IN } from "./import-plan.ts"
import { mergeAccount } from "./merge-account.ts"
import { describeWriteFailure, rewriteInFile } from "./rewrite-in-file.ts"

/** What carrying out needs. */
export type ApplyParts = {
  /** The account as it is now: it may have been refreshed since the plan was made. */
  readonly present: (id: AccountId) => Account | undefined
  /** Writes accounts into the database, all or none, and lets them serve. Throws what stands in the way. */
  readonly put: (items: readonly NewStoredAccount[], options: { readonly isDurable: boolean }) => void
  readonly pause: () => Promise<void>
  readonly signal: AbortSignal
  /** Told now and then how many of how many accounts are written. */
  readonly onProgress?: (written: number, total: number) => void
}

/** Accounts in one transaction, which blocks the thread for some 5 ms, and for 30 ms when it moves the log into the database. */
const MAX_BATCH = 100

type Failures = Map<AccountId, string>

/** What has to be written for a planned account as things are now; undefined = nothing any more. */
function itemOf({ account, rewrites, origin }: PlannedWrite, parts: ApplyParts): NewStoredAccount | undefined {
  const live = parts.present(account.id)
  if (live === undefined) return { account, origin }
  const isAsPlanned = rewrites !== undefined && Bun.deepEquals(live.credential, rewrites.credential)
  const merged = isAsPlanned ? account : mergeAccount(live, account, origin === SIGN_IN ? "found" : "fresher")
  if (merged === undefined) return undefined
  const credential = { ...merged.credential, generation: live.credential.generation + 1 }
  return { account: { ...merged, credential, source: { type: "store" } }, replaced: live.credential, origin }
}

/** Looks at what is there and writes in one go: an account that is refreshed in between would lose its new token. */
function writeBatch(batch: readonly PlannedWrite[], isDurable: boolean, parts: ApplyParts, failures: Failures): void {
  const items = batch.map(write => itemOf(write, parts)).filter(item => item !== undefined)
  if (items.length === 0) return
  try {
    parts.put(items, { isDurable })
  } catch (error) {
    const reason = `could not be written: ${describeWriteFailure(error)}`
    for (const { account } of items) failures.set(account.id, reason)
  }
}

async function writeFiles(writes: readonly PlannedWrite[], parts: ApplyParts, failures: Failures): Promise<void> {
  for (const { account, rewrites } of writes) {
    const path = rewrites === undefined ? undefined : filePathOf(rewrites)
    if (rewrites === undefined || path === undefined) continue
    parts.signal.throwIfAborted()
    try {
      await rewriteInFile(path, rewrites, account)
    } catch (error) {
      failures.set(account.id, `could not be written: ${describeWriteFailure(error)}`)
    }
  }
}

/** Writes everything; returns why for the accounts that could not be written. */
async function writeAll(writes: readonly PlannedWrite[], parts: ApplyParts): Promise<ReadonlyMap<AccountId, string>> {
  const failures: Failures = new Map()
  await writeFiles(writes, parts, failures)
  const stored = writes.filter(({ rewrites }) => rewrites === undefined || filePathOf(rewrites) === undefined)
  for (let start = 0; start < stored.length; start += MAX_BATCH) {
    await parts.pause()
    parts.signal.throwIfAborted()
    const end = Math.min(start + MAX_BATCH, stored.length)
    // Only the last write waits for the disk; it takes all earlier ones with it.
    writeBatch(stored.slice(start, end), end === stored.length, parts, failures)
    parts.onProgress?.(end, stored.length)
  }
  return failures
}

function withFailure(result: ImportResult, failures: ReadonlyMap<AccountId, string>): ImportResult {
  const reason = result.accountId === undefined ? undefined : failures.get(result.accountId)
  return reason === undefined || result.outcome === "unchanged" ? result : { ...result, outcome: "refused", reason }
}

/**
 * Carries out a plan and returns every entry's result; what it says is written is on the disk. An account that cannot be
 * written turns its entries into refused ones and leaves the others alone. Rejects with the signal's reason when it
 * aborts; what was written until then stays.
 */
export async function applyImport(plan: ImportPlan, parts: ApplyParts): Promise<readonly ImportResult[]> {
  if (plan.writes.length === 0) return plan.results
  const failures = await writeAll(plan.writes, parts)
  return failures.size === 0 ? plan.results : plan.results.map(result => withFailure(result, failures))
}
