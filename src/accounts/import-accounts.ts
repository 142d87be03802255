/** Carries out the plan of an import: one file an account, existing files brought up to date in their own layout. */

import { mkdirSync } from "node:fs"
import { dirname } from "node:path"

import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"

import { syncDirectory } from "./atomic-write.ts"
import { type ImportPlan, type ImportResult, type PlannedWrite, SLICE_MS } from "./import-plan.ts"
import { describeWriteFailure, writePlanned } from "./write-planned.ts"

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

/** Writes everything; returns why for the accounts that could not be written. */
async function writeAll(writes: readonly PlannedWrite[], parts: ApplyParts): Promise<ReadonlyMap<AccountId, string>> {
  const failures = new Map<AccountId, string>()
  const isSynced = writes.length <= MAX_SYNCED
  let sliceEndsAtMs = parts.clock() + SLICE_MS
  for (const [index, write] of writes.entries()) {
    try {
      await writePlanned(write, { isSynced })
    } catch (error) {
      failures.set(write.account.id, `could not be written: ${describeWriteFailure(error)}`)
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
    throw new GatewayError("internal", `${parts.authDir} cannot be made (${describeWriteFailure(cause)}).`, { cause })
  }
  const failures = await writeAll(plan.writes, parts)
  if (plan.writes.length <= MAX_SYNCED) {
    const directories = new Set(plan.writes.map(write => dirname(write.account.source.path)))
    for (const directory of directories) await syncDirectory(directory)
  }
  return failures.size === 0 ? plan.results : plan.results.map(result => withFailure(result, failures))
}
