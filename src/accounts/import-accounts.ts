/** Carries out the plan of an import: new accounts go into the database, those that live in a file are brought up to date there. */

import { type Account, filePathOf } from "#core/account.ts"
import type { Clock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"

import { type ImportPlan, type ImportResult, type PlannedWrite, SLICE_MS } from "./import-plan.ts"
import { mergeAccount } from "./merge-account.ts"
import { describeWriteFailure, rewriteInFile } from "./rewrite-in-file.ts"
import type { NewStoredAccount } from "./stored-accounts.ts"

/** What carrying out needs. */
export type ApplyParts = {
  /** The account as it is now: it may have been refreshed since the plan was made. */
  readonly present: (id: AccountId) => Account | undefined
  /** Writes accounts into the database, all or none, and lets them serve. Throws what stands in the way. */
  readonly put: (items: readonly NewStoredAccount[], options: { readonly isDurable: boolean }) => void
  readonly clock: Clock
  readonly pause: () => Promise<void>
  readonly signal: AbortSignal
  /** Told now and then how many of how many accounts are written. */
  readonly onProgress?: (written: number, total: number) => void
}

/** Accounts in one transaction: about 8 ms of sealing and writing. */
const MAX_BATCH = 250

/** One import under way. */
type Run = {
  readonly parts: ApplyParts
  readonly total: number
  readonly failures: Map<AccountId, string>
  batch: NewStoredAccount[]
  sliceEndsAtMs: number
  done: number
}

/** What has to be written for a planned account as things are now; undefined = nothing any more. */
function itemOf({ parts }: Run, { account, rewrites, origin }: PlannedWrite): NewStoredAccount | undefined {
  const live = parts.present(account.id)
  if (live === undefined) return { account, origin }
  const isAsPlanned = rewrites !== undefined && Bun.deepEquals(live.credential, rewrites.credential)
  const merged = isAsPlanned ? account : mergeAccount(live, account)
  if (merged === undefined) return undefined
  const credential = { ...merged.credential, generation: live.credential.generation + 1 }
  return { account: { ...merged, credential, source: { type: "store" } }, replaced: live.credential, origin }
}

/** Only the last write waits for the disk; it takes all earlier ones with it. */
function flush(run: Run, options: { readonly isDurable: boolean }): void {
  const { parts, failures } = run
  const items = run.batch
  run.batch = []
  if (items.length === 0) return
  try {
    parts.put(items, options)
  } catch (error) {
    const reason = `could not be written: ${describeWriteFailure(error)}`
    for (const { account } of items) failures.set(account.id, reason)
  }
}

async function writeOne(run: Run, write: PlannedWrite): Promise<void> {
  const path = write.rewrites === undefined ? undefined : filePathOf(write.rewrites)
  if (write.rewrites === undefined || path === undefined) {
    // Before and not after: something must be left for the last write, which waits for the disk.
    if (run.batch.length >= MAX_BATCH) flush(run, { isDurable: false })
    const item = itemOf(run, write)
    if (item !== undefined) run.batch.push(item)
    return
  }
  try {
    await rewriteInFile(path, write.rewrites, write.account)
  } catch (error) {
    run.failures.set(write.account.id, `could not be written: ${describeWriteFailure(error)}`)
  }
}

/** Writes everything; returns why for the accounts that could not be written. */
async function writeAll(writes: readonly PlannedWrite[], parts: ApplyParts): Promise<ReadonlyMap<AccountId, string>> {
  const sliceEndsAtMs = parts.clock() + SLICE_MS
  const run: Run = { parts, total: writes.length, failures: new Map(), batch: [], sliceEndsAtMs, done: 0 }
  try {
    for (const write of writes) {
      await writeOne(run, write)
      run.done += 1
      if (parts.clock() < run.sliceEndsAtMs) continue
      parts.onProgress?.(run.done, run.total)
      await parts.pause()
      parts.signal.throwIfAborted()
      run.sliceEndsAtMs = parts.clock() + SLICE_MS
    }
  } finally {
    flush(run, { isDurable: true })
  }
  return run.failures
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
