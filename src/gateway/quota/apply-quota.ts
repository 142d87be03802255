/** What a word about an account's quota means for its blocks: spent quotas rest, open ones serve again. */

import type { Clock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import type { BlockScope } from "#core/outcome.ts"
import type { QuotaBucket, QuotaSnapshot, QuotaWindow } from "#core/upstream.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"

import { speaksOfMain } from "./merge-quota.ts"

/** What was said just now, and what is known with it. */
export type HeardQuota = { readonly said: QuotaSnapshot; readonly merged: QuotaSnapshot }

/** What applying needs. */
export type ApplyQuotaParts = {
  readonly scheduler: Pick<Scheduler, "report" | "clearBlocks">
  readonly clock: Clock
  /** False: a spent quota is left to refusals, which always count. */
  readonly skipsExhausted: () => boolean
}

/** A window without a stated reset is tried again after this time, and later each time it is still spent. */
const UNKNOWN_RESET_MS = 5 * 60_000

/** Puts up and takes down the account's quota blocks. A word about one quota changes nothing about the others. */
export function applyQuota(id: AccountId, heard: HeardQuota, parts: ApplyQuotaParts): void {
  applyMain(id, heard, parts)
  for (const bucket of heard.said.buckets ?? []) applyBucket(id, bucket, heard.said, parts)
}

function applyMain(id: AccountId, { said, merged }: HeardQuota, parts: ApplyQuotaParts): void {
  const { scheduler } = parts
  if (!speaksOfMain(said)) return
  const observedAtMs = said.observedAtMs
  if (!isSpent(merged)) {
    // An early reset or a redeemed credit shows here first: what is known newer than the block lifts it.
    scheduler.clearBlocks(id, { cause: "quota", scope: "account", confirmedBeforeMs: observedAtMs })
    return
  }
  // Something older says it is spent, and has had its say already.
  if (!isSpent({ ...merged, windows: said.windows, limitReached: said.limitReached })) return
  block(id, { scope: { type: "account" }, windows: said.windows, observedAtMs }, parts)
}

/** A named quota whose name is a model's counts for that model; of others nobody says what they count. */
function applyBucket(id: AccountId, bucket: QuotaBucket, said: QuotaSnapshot, parts: ApplyQuotaParts): void {
  if (bucket.name === undefined) return
  const model = bucket.name.toLowerCase()
  const { observedAtMs } = said
  if (bucket.limitReached) {
    block(id, { scope: { type: "model", model }, windows: bucket.windows, observedAtMs }, parts)
    return
  }
  parts.scheduler.clearBlocks(id, { cause: "quota", model, confirmedBeforeMs: observedAtMs })
}

type Spent = {
  readonly scope: BlockScope
  readonly windows: readonly QuotaWindow[]
  readonly observedAtMs: number
}

function block(id: AccountId, spent: Spent, { scheduler, clock, skipsExhausted }: ApplyQuotaParts): void {
  if (!skipsExhausted()) return
  scheduler.report(id, {
    effect: { type: "block", scope: spent.scope, cause: "quota", ...restOf(spent.windows, clock()) },
    startedAtMs: spent.observedAtMs,
    model: "",
    detail: "usage_limit_reached",
  })
}

/** Spent means refused: a full window still serves while credits remain. */
function isSpent({ credits, limitReached, windows }: QuotaSnapshot): boolean {
  if (credits !== undefined && (credits.unlimited || (credits.hasCredits && Number(credits.balance ?? 0) > 0)))
    return false
  return limitReached || windows.some(window => window.usedPercent >= 100)
}

/** Rest until the last full window resets; the refusal itself names the window it counts by. */
function restOf(
  windows: readonly QuotaWindow[],
  nowMs: number,
): { readonly forMs: number; readonly isUnstated: boolean } {
  const full = windows.filter(window => window.usedPercent >= 100)
  const resetsAtSec = Math.max(0, ...full.map(window => window.resetsAtSec ?? 0))
  if (resetsAtSec === 0) return { forMs: UNKNOWN_RESET_MS, isUnstated: true }
  return { forMs: Math.max(2_000, resetsAtSec * 1000 - nowMs), isUnstated: false }
}
