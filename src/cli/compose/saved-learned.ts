/** Keeps over a restart what was learned of accounts: their health, what is left of their quota and how it went. */

import type { Clock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import { isJsonObject } from "#core/json.ts"
import type { QuotaSnapshot } from "#core/upstream.ts"
import type { Journal } from "#gateway/journal/journal.ts"
import type { Pool } from "#gateway/pool/pool.ts"
import type { QuotaHistory } from "#gateway/quota/quota-history.ts"
import type { HealthRow } from "#scheduler/health/health-rows.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"
import type { LearnedRow, LearnedRows, QuotaReadingRow } from "#store/learned.ts"

import type { BlockKeeper } from "./saved-blocks.ts"

/** What keeping needs. */
export type LearnedKeeperParts = {
  readonly clock: Clock
  readonly scheduler: Pick<Scheduler, "takeChangedHealth" | "restoreHealth" | "transitionsBetween">
  readonly pool: Pick<Pool, "quotaOf" | "restoreQuota">
  readonly history: Pick<QuotaHistory, "restore" | "takeNews">
  readonly takeChangedQuota: (max: number) => readonly AccountId[]
  readonly store: LearnedRows
  readonly journal: Pick<Journal, "noteEvents" | "noteReadings">
}

/** Rows written, and deleted, in one go; what is over waits for the next round. */
const ROWS_A_ROUND = 1_000
/** As long as the memory of an account that is quiet. */
const HOUR_MS = 3_600_000
const READINGS_KEPT_MS = 8 * HOUR_MS
/** Readings beyond this are too old for a forecast in so large a pool. */
const MAX_READINGS = 200_000
/** Of an account that is gone. */
const LEARNED_KEPT_MS = 30 * 86_400_000

/** Makes the keeper: what it has is put back for all accounts, or for one that has just come, and written every round. */
export function makeLearnedKeeper(parts: LearnedKeeperParts): BlockKeeper {
  const { clock, scheduler, pool, history, store } = parts
  let restored = false
  let eventsFromMs = clock()
  /** Taken out and not yet written: a store that was busy gets them again. */
  let health: readonly LearnedRow[] = []
  let readings: readonly QuotaReadingRow[] = []
  let quotas: readonly AccountId[] = []
  /** The newest reading of each window that went to the log. */
  const longTerm = new Map<string, { readonly atMs: number; readonly usedPercent: number }>()

  function saveHealth(nowMs: number): void {
    if (health.length === 0) {
      const rows = scheduler.takeChangedHealth(ROWS_A_ROUND)
      health = rows.map(({ accountId, ...row }) => ({ accountId, json: JSON.stringify(row), updatedAtMs: nowMs }))
    }
    if (health.length > 0) store.saveHealth(health)
    health = []
  }

  function saveQuota(nowMs: number): void {
    if (quotas.length === 0) quotas = parts.takeChangedQuota(ROWS_A_ROUND)
    const rows = quotas.flatMap(accountId => {
      const quota = pool.quotaOf(accountId)
      return quota === undefined ? [] : [{ accountId, json: JSON.stringify(quota), updatedAtMs: nowMs }]
    })
    if (rows.length > 0) store.saveQuota(rows)
    quotas = []
    if (readings.length === 0) readings = history.takeNews(ROWS_A_ROUND)
    if (readings.length > 0) store.saveReadings(readings)
    parts.journal.noteReadings(readings.filter(isWorthKeeping))
    readings = []
  }

  /** For weeks an hour's distance is enough, except for what moves. */
  function isWorthKeeping({ accountId, bucket, windowSec, atMs, usedPercent }: QuotaReadingRow): boolean {
    const key = `${accountId}/${bucket}/${windowSec}`
    const last = longTerm.get(key)
    const isSame = last !== undefined && atMs - last.atMs < HOUR_MS && Math.abs(usedPercent - last.usedPercent) < 5
    if (!isSame) longTerm.set(key, { atMs, usedPercent })
    return !isSame
  }

  return {
    restore: account => {
      restored ||= account === undefined
      if (!restored) return
      // Of one that has just come only its own: an import brings thousands.
      scheduler.restoreHealth(store.listHealth(account).flatMap(readHealth))
      for (const row of store.listQuota(account)) {
        const quota = readQuota(row.json)
        if (quota !== undefined) pool.restoreQuota(row.accountId, quota)
      }
      history.restore(store.listReadings({ sinceMs: clock() - READINGS_KEPT_MS, maxRows: MAX_READINGS }, account))
    },
    save: () => {
      if (!restored) return
      const nowMs = clock()
      const events = scheduler.transitionsBetween(eventsFromMs, nowMs)
      parts.journal.noteEvents(events)
      eventsFromMs = nowMs
      saveHealth(nowMs)
      saveQuota(nowMs)
      store.deleteOldLearned({
        learnedMs: nowMs - LEARNED_KEPT_MS,
        readingsMs: nowMs - READINGS_KEPT_MS,
        maxRows: ROWS_A_ROUND,
      })
    },
  }
}

const COUNTS = ["failureStreak", "successStreak", "served", "results", "resultCount", "holdUntilMs"] as const

/** A row that cannot be read is as good as none: the account starts as one that is new. */
function readHealth({ accountId, json }: LearnedRow): readonly HealthRow[] {
  const value = parse(json)
  if (!isJsonObject(value) || !isJsonObject(value["failedAtMs"])) return []
  if (COUNTS.some(name => typeof value[name] !== "number")) return []
  // Written by `saveHealth` of this or another version; what decides is checked above, absent members read as never.
  return [{ ...(value as unknown as HealthRow), accountId }]
}

function readQuota(json: string): QuotaSnapshot | undefined {
  const value = parse(json)
  const isWhole = isJsonObject(value) && Array.isArray(value["windows"]) && typeof value["observedAtMs"] === "number"
  // Written by `saveQuota`, where it was a snapshot.
  return isWhole ? (value as unknown as QuotaSnapshot) : undefined
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    // A damaged row: what it said is learned anew.
    return undefined
  }
}
