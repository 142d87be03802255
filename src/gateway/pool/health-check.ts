/** Probes the accounts at the operator's pace, so that a dead one is found before a request finds it. */

import type { Account } from "#core/account.ts"
import type { CancelTimer, Timers } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"

import { mapLimited } from "./map-limited.ts"
import type { QuotaReport } from "./quota-check.ts"

/** Settings of the probe loop; all may change while running. */
export type HealthCheckSettings = {
  /** 0 = off. */
  readonly intervalMs: number
  readonly maxFailures: number
  readonly concurrency: number
}

/** What the loop needs. */
export type HealthCheckParts = {
  readonly timers: Timers
  readonly clock: () => number
  readonly scheduler: Scheduler
  readonly accounts: () => readonly Account[]
  /** When the account's quota was last heard of, milliseconds since the epoch; undefined = never. */
  readonly heardAtMs: (account: AccountId) => number | undefined
  readonly probe: (account: Account) => Promise<QuotaReport>
  readonly settings: () => HealthCheckSettings
  readonly reportFailure: (name: string, cause: unknown) => void
}

/** How often the loop looks at its settings, which may change while it waits. */
const LOOK_MS = 5_000
/** Who can serve and was heard from so recently, by an answer or a probe, is not asked. */
const FRESH_MS = 15 * 60_000

/**
 * Starts the loop; the returned function ends it. An account whose probe gets no answer `maxFailures` times in a row rests for
 * two intervals: the next good probe, or the end of the rest, brings it back without a human. An endpoint that refuses has answered,
 * and only a request of a client can tell whether the account serves.
 */
export function startHealthCheck(parts: HealthCheckParts): () => void {
  const failures = new Map<AccountId, number>()
  let lastRoundAtMs = parts.clock()
  let stopped = false
  let cancelTimer: CancelTimer = () => {}

  function plan(): void {
    cancelTimer = parts.timers.after(Math.min(LOOK_MS, parts.settings().intervalMs || LOOK_MS), () => {
      const { intervalMs } = parts.settings()
      const isDue = intervalMs > 0 && parts.clock() - lastRoundAtMs >= intervalMs
      const round = isDue ? runRound() : Promise.resolve()
      round.catch(cause => parts.reportFailure("health check", cause)).finally(() => stopped || plan())
    })
  }

  async function runRound(): Promise<void> {
    const startedAtMs = parts.clock()
    lastRoundAtMs = startedAtMs
    const enabled = parts.accounts().filter(account => !account.disabled)
    const silent = enabled.filter(account => isSilent(account, startedAtMs))
    for (const { id } of enabled) if (isHeard(id, startedAtMs)) failures.delete(id)
    const reports = await mapLimited(silent, parts.settings().concurrency, parts.probe)
    // When every probe fails, the quota endpoint or the way to it is at fault, and no account.
    const isEverybody = silent.length === enabled.length && reports.every(report => report.status === "failed")
    if (stopped || isEverybody) return
    for (const [index, account] of silent.entries()) {
      // A proxy has checks of its own; its accounts have not been asked.
      if (reports[index]?.proxy_failed !== true) note(account, reports[index], startedAtMs)
    }
  }

  function isHeard(id: AccountId, nowMs: number): boolean {
    const heardAtMs = parts.heardAtMs(id)
    return heardAtMs !== undefined && nowMs - heardAtMs < FRESH_MS
  }

  /** Probing is for those of whom nothing is known: whoever rests, and whoever has not been heard from for a while. */
  function isSilent({ id }: Account, nowMs: number): boolean {
    return !parts.scheduler.isUsable(id) || !isHeard(id, nowMs)
  }

  function note(account: Account, report: QuotaReport | undefined, startedAtMs: number): void {
    const { maxFailures, intervalMs } = parts.settings()
    if (report?.status !== "failed" || report.upstream_status !== undefined) {
      const rested = (failures.get(account.id) ?? 0) >= maxFailures
      failures.delete(account.id)
      // Only the rest this loop has ordered: a refusal that a request has met stands until a request disproves it.
      if (rested) parts.scheduler.clearBlocks(account.id, { cause: "health", confirmedBeforeMs: startedAtMs })
      return
    }
    const count = (failures.get(account.id) ?? 0) + 1
    failures.set(account.id, count)
    if (count < maxFailures) return
    parts.scheduler.report(account.id, {
      effect: { type: "block", scope: { type: "account" }, cause: "health", forMs: 2 * intervalMs },
      startedAtMs,
      model: "",
      detail: "health_check_failed",
    })
  }

  plan()
  return () => {
    stopped = true
    cancelTimer()
  }
}
