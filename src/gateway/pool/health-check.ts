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
  readonly probe: (account: Account) => Promise<QuotaReport>
  readonly settings: () => HealthCheckSettings
  readonly reportFailure: (name: string, cause: unknown) => void
}

/** How often the loop looks at its settings, which may change while it waits. */
const LOOK_MS = 5_000

/**
 * Starts the loop; the returned function ends it. An account whose probe fails `maxFailures` times in a row rests for
 * two intervals: the next good probe, or the end of the rest, brings it back without a human.
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
    const enabled = parts.accounts().filter(account => !account.disabled)
    const startedAtMs = parts.clock()
    lastRoundAtMs = startedAtMs
    const reports = await mapLimited(enabled, parts.settings().concurrency, parts.probe)
    // When every probe fails, the quota endpoint or the way to it is at fault, and no account.
    if (stopped || reports.every(report => report.status === "failed")) return
    for (const [index, account] of enabled.entries()) {
      // A proxy has checks of its own; its accounts have not been asked.
      if (reports[index]?.proxy_failed !== true) note(account, reports[index]?.status, startedAtMs)
    }
  }

  function note(account: Account, status: QuotaReport["status"] | undefined, startedAtMs: number): void {
    const { maxFailures, intervalMs } = parts.settings()
    if (status !== "failed") {
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
