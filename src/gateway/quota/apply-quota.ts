/** What a word about an account's quota means for its blocks: spent quotas rest, open ones serve again. */

import type { Clock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import type { BlockScope } from "#core/outcome.ts"
import type { QuotaBucket, QuotaSnapshot, QuotaWindow } from "#core/upstream.ts"
import { withinWindowMs } from "#providers/quota-window.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"

import { speaksOfMain } from "./merge-quota.ts"

/** What was said just now, what is known with it, and since when the one who said it may have known it. */
export type HeardQuota = {
  readonly said: QuotaSnapshot
  readonly merged: QuotaSnapshot
  readonly askedAtMs: number
}

/** What applying needs. */
export type ApplyQuotaParts = {
  readonly scheduler: Pick<Scheduler, "report" | "clearBlocks">
  readonly clock: Clock
  /** False: a spent quota is left to refusals, which always count. */
  readonly skipsExhausted: () => boolean
}

/** A window without a stated reset is tried again after this time, and later each time it is still spent. */
const UNKNOWN_RESET_MS = 5 * 60_000
/** A reset that has passed already. */
const PAST_MS = 2_000

/** Puts up and takes down the account's quota blocks. A word about one quota changes nothing about the others. */
export function applyQuota(id: AccountId, heard: HeardQuota, parts: ApplyQuotaParts): void {
  applyMain(id, heard, parts)
  for (const bucket of heard.said.buckets ?? []) applyBucket(id, bucket, heard, parts)
}

function applyMain(id: AccountId, { said, merged, askedAtMs }: HeardQuota, parts: ApplyQuotaParts): void {
  const { scheduler } = parts
  if (!speaksOfMain(said)) return
  const observedAtMs = said.observedAtMs
  if (!isSpent(merged)) {
    // An early reset or a redeemed credit shows here first: what was asked for after the block lifts it.
    scheduler.clearBlocks(id, { cause: "quota", scope: "account", confirmedBeforeMs: askedAtMs })
    return
  }
  // Something older says it is spent, and has had its say already.
  if (!isSpent({ ...merged, windows: said.windows, limitReached: said.limitReached })) return
  block(id, { scope: { type: "account" }, windows: said.windows, observedAtMs }, parts)
}

/** A named quota whose name is a model's counts for that model; of others nobody says what they count. */
function applyBucket(
  id: AccountId,
  bucket: QuotaBucket,
  { said, askedAtMs }: HeardQuota,
  parts: ApplyQuotaParts,
): void {
  if (bucket.name === undefined) return
  const model = bucket.name.toLowerCase()
  const { observedAtMs } = said
  if (bucket.limitReached) {
    block(id, { scope: { type: "model", model }, windows: bucket.windows, observedAtMs }, parts)
    return
  }
  parts.scheduler.clearBlocks(id, { cause: "quota", model, confirmedBeforeMs: askedAtMs })
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
  const rests = windows.flatMap(({ usedPercent, resetsAtSec, windowSec }) => {
    if (usedPercent < 100 || resetsAtSec === undefined) return []
    return [withinWindowMs(resetsAtSec * 1000 - nowMs, windowSec)]
  })
  if (rests.length > 0) return { forMs: Math.max(PAST_MS, ...rests), isUnstated: false }
  // Said to be spent by a window whose time is over: clocks differ, and it is open any moment.
  const isOver = windows.some(({ resetsAtSec }) => resetsAtSec !== undefined && resetsAtSec * 1000 <= nowMs)
  return isOver ? { forMs: PAST_MS, isUnstated: false } : { forMs: UNKNOWN_RESET_MS, isUnstated: true }
}
