/** The figures of one day. */

import type { Strategy } from "#scheduler/pick/strategies.ts"

import type { Asked } from "./asked.ts"
import type { HiddenAccount } from "./population.ts"
import type { Traffic } from "./traffic.ts"
import type { UpstreamCounts } from "./upstream.ts"

/** One row of the table. Shares are between 0 and 1. */
export type DayRow = {
  readonly strategy: Strategy
  readonly requests: number
  /** See the oracle. */
  readonly serviceable: number
  readonly servedShare: number
  /** Refusals for pace or for too many at a time, by 1,000 requests. */
  readonly burstsPer1000: number
  /** Of what could be cached of conversations. */
  readonly cachedShare: number
  /** Of all their input, first turns and cold returns included. */
  readonly cachedOfInput: number
  readonly retriesPerRequest: number
  readonly conversations: number
  readonly moves: number
  /** From arrival to the first request upstream, milliseconds. */
  readonly waitP50Ms: number
  readonly waitP99Ms: number
  /** The most used of equal accounts ÷ their mean. */
  readonly skew: number
  /** On accounts that were known to be spent, before their reset. */
  readonly askedSpent: number
  readonly foreignReasoning: number
  readonly tokenExchanges: number
  readonly breakerAlarms: number
  /** Accounts whose windows reset in one second, and over how long their next tries are spread. */
  readonly herd: Herd
  /** Why serviceable requests were not served. */
  readonly failures: Readonly<Record<string, number>>
}

/** See {@link DayRow.herd}; milliseconds. */
export type Herd = { accounts: number; spreadMs: number }

/** What a row is made from. */
export type DayBooks = {
  readonly strategy: Strategy
  readonly all: readonly Asked[]
  readonly accounts: readonly HiddenAccount[]
  readonly traffic: Traffic
  readonly counts: UpstreamCounts
  readonly alarms: number
  readonly herd: Herd
}

/** Closes the books. */
export function rowOf({ strategy, all, accounts, traffic, counts, alarms, herd }: DayBooks): DayRow {
  const serviceable = all.filter(asked => asked.isServiceable && !asked.wasCut && asked.outcome !== "left")
  const served = serviceable.filter(({ outcome }) => outcome === "served")
  const waits = all.flatMap(({ firstDispatchAtMs, startedAtMs }) =>
    firstDispatchAtMs === undefined ? [] : [firstDispatchAtMs - startedAtMs],
  )
  waits.sort((left, right) => left - right)
  const dispatched = all.filter(({ dispatches }) => dispatches > 0)
  const dispatches = dispatched.reduce((sum, asked) => sum + asked.dispatches, 0)
  return {
    strategy,
    requests: all.length,
    serviceable: serviceable.length,
    servedShare: served.length / serviceable.length,
    burstsPer1000: (1000 * counts.bursts) / all.length,
    cachedShare: traffic.cache.cachedTokens / traffic.cache.cacheableTokens,
    cachedOfInput: traffic.input.cachedTokens / traffic.input.tokens,
    retriesPerRequest: (dispatches - dispatched.length) / all.length,
    conversations: traffic.conversations.count,
    moves: traffic.conversations.moves,
    waitP50Ms: at(waits, 0.5),
    waitP99Ms: at(waits, 0.99),
    skew: skewOf(accounts),
    askedSpent: counts.askedAgain,
    foreignReasoning: counts.foreignReasoning,
    tokenExchanges: counts.tokenExchanges,
    breakerAlarms: alarms,
    herd,
    failures: failuresOf(serviceable),
  }
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

/** Equals: accounts of one plan to which nothing happens that does not happen to all. */
function skewOf(accounts: readonly HiddenAccount[]): number {
  const byPlan = Map.groupBy(
    accounts.filter(({ isOrdinary }) => isOrdinary),
    ({ simulated, windows }) => `${simulated.plan} ${windows[0]?.capacity}`,
  )
  let worst = 1
  for (const equals of byPlan.values()) {
    const uses = equals.map(({ dispatches }) => dispatches)
    const mean = uses.reduce((sum, count) => sum + count, 0) / uses.length
    if (mean > 0) worst = Math.max(worst, Math.max(...uses) / mean)
  }
  return worst
}

function failuresOf(serviceable: readonly Asked[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { outcome, code } of serviceable) if (outcome === "failed") counts[code] = (counts[code] ?? 0) + 1
  return Object.fromEntries(Object.entries(counts).sort(([, left], [, right]) => right - left))
}
