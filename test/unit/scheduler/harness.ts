/** A scheduler on a clock the test owns, with accounts named by short words. */

import type { ErrorKind } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import type { AccountEffect, BlockCause, BlockScope } from "#core/outcome.ts"
import { makeScheduler, type Scheduler } from "#scheduler/scheduler.ts"
import type { AccountFacts, AccountView, Acquired, Demand, Lease, SchedulerLimits } from "#scheduler/types.ts"

import { type ManualTime, makeManualTime } from "../../support/manual-timers.ts"

export const START_MS = 1_800_000_000_000

/** Tests name accounts as they like; the brand only keeps plain text out of production code. */
export const id = (name: string) => name as AccountId

export type Harness = {
  readonly time: ManualTime
  readonly scheduler: Scheduler
  readonly limits: { -readonly [K in keyof SchedulerLimits]: SchedulerLimits[K] }
  readonly add: (name: string, facts?: Partial<AccountFacts>) => void
  readonly ask: (demand?: Partial<Demand>) => Acquired
  /** Asks and expects an account at once. */
  readonly lease: (demand?: Partial<Demand>) => Lease
  /** Asks and expects a refusal. */
  readonly refusal: (demand?: Partial<Demand>) => Extract<Acquired, { type: "refusal" }>["error"]
  readonly report: (
    name: string,
    effect: AccountEffect,
    options?: { startedAtMs?: number; model?: string; kind?: ErrorKind },
  ) => void
  readonly succeed: (name: string, options?: { startedAtMs?: number; model?: string; firstOutputMs?: number }) => void
  /** Says how much of which window is used; windows are named by their length in hours. */
  readonly quota: (name: string, windows: readonly { hours: number; used: number; resetsInMs?: number }[]) => void
  readonly view: (name: string) => AccountView
  /** Sentences the operator was told. */
  readonly alarms: readonly string[]
}

export function makeHarness(limits: Partial<SchedulerLimits> = {}): Harness {
  const time = makeManualTime(START_MS)
  const current = { accountConcurrency: 2, queueMax: 100, queueTimeoutMs: 30_000, ...limits }
  const alarms: string[] = []
  const scheduler = makeScheduler({
    clock: time.clock,
    timers: time.timers,
    random: () => 0,
    limits: () => current,
    alarm: text => alarms.push(text),
  })
  const ask = (demand: Partial<Demand> = {}) =>
    scheduler.acquire({
      model: "gpt-5",
      exclude: new Set(),
      keyId: "key",
      deadlineMs: time.clock() + 60_000,
      ...demand,
    })
  return {
    time,
    scheduler,
    limits: current,
    add: (name, facts = {}) =>
      scheduler.upsert({ id: id(name), provider: "codex", lifecycle: "enabled", credential: "fresh", ...facts }),
    ask,
    lease: demand => {
      const acquired = ask(demand)
      if (acquired.type !== "lease") throw new Error(`expected a lease, got ${acquired.type}`)
      return acquired.lease
    },
    refusal: demand => {
      const acquired = ask(demand)
      if (acquired.type !== "refusal") throw new Error(`expected a refusal, got ${acquired.type}`)
      return acquired.error
    },
    report: (name, effect, { startedAtMs = time.clock(), model = "gpt-5", ...rest } = {}) =>
      scheduler.report(id(name), { effect, startedAtMs, model, detail: "test", ...rest }),
    succeed: (name, { startedAtMs = time.clock(), model = "gpt-5", ...rest } = {}) =>
      scheduler.succeeded(id(name), { startedAtMs, model, ...rest }),
    quota: (name, windows) =>
      scheduler.setQuota(id(name), {
        observedAtMs: time.clock(),
        limitReached: false,
        windows: windows.map(({ hours, used, resetsInMs }) => ({
          usedPercent: used,
          windowSec: hours * 3600,
          ...(resetsInMs !== undefined && { resetsAtSec: (time.clock() + resetsInMs) / 1000 }),
        })),
      }),
    view: name => {
      const found = scheduler.view().find(account => account.id === name)
      if (found === undefined) throw new Error(`no account ${name}`)
      return found
    },
    alarms,
  }
}

export const block = (
  cause: BlockCause,
  forMs: number,
  scope: BlockScope = { type: "account" },
): Extract<AccountEffect, { type: "block" }> => ({ type: "block", scope, cause, forMs })
