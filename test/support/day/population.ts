/** The accounts of the day as only the upstream knows them: windows, limits, speed, and what will befall them. */

import type { AccountId } from "#core/ids.ts"
import type { SimulatedAccount } from "#simulator/accounts/accounts.ts"
import type { World } from "#simulator/world.ts"

import { MIDNIGHT_MS, SHARED_RESET_MS } from "./calendar.ts"
import { type Chance, makeChance } from "./chance.ts"

const HOUR_MS = 3_600_000
const SHORT_MS = 5 * HOUR_MS
const WEEK_MS = 7 * 24 * HOUR_MS

/** One quota window; `used` and `capacity` count average requests. */
export type HiddenWindow = {
  readonly lengthMs: number
  readonly capacity: number
  used: number
  resetsAtMs: number
}

/** One account behind the upstream's door. */
export type HiddenAccount = {
  readonly id: AccountId
  readonly simulated: SimulatedAccount
  readonly proxy: string | undefined
  /** The upstream refuses more at a time, */
  readonly maxLive: number
  /** and more starts than this within ten seconds. */
  readonly maxStarts: number
  /** 1 = as fast as most. */
  readonly slowness: number
  readonly windows: readonly HiddenWindow[]
  /** One of a company's, whose short windows are spent and reset together. */
  readonly isSeat: boolean
  /** Nothing befalls it that does not befall all others: those are compared for how evenly they are used. */
  readonly isOrdinary: boolean
  live: number
  /** Times of the last starts, milliseconds since the epoch. */
  starts: number[]
  dispatches: number
  served: number
  /** Since when the gateway has been told that a window is spent, until when that holds; 0 = it has not. */
  toldSpentAtMs: number
  spentUntilMs: number
}

type Plan = { readonly name: string; readonly share: number; readonly perShortWindow: number; readonly perWeek: number }

/** Capacities in average requests; free accounts have the week only. */
const PLANS: readonly Plan[] = [
  { name: "free", share: 0.15, perShortWindow: 0, perWeek: 120 },
  { name: "plus", share: 0.6, perShortWindow: 60, perWeek: 500 },
  { name: "team", share: 0.15, perShortWindow: 70, perWeek: 600 },
  { name: "pro", share: 0.1, perShortWindow: 250, perWeek: 2_500 },
]

const PROXIES = 12
const PROXIED_SHARE = 0.6
const SEATS_SHARE = 0.2
const SLOW_SHARE = 0.03
const HOUR_TOKEN_SHARE = 0.1
/** Simultaneous requests that accounts bear, as users of several plans report them. */
const LIVE_LIMITS = [3, 4, 4, 5, 5, 5, 6, 6, 8, 8]

/** Makes `count` accounts. Whatever the seed, the same shares of them have the same fates. */
export function makePopulation(
  world: World,
  { count, seed }: { count: number; seed: number },
): readonly HiddenAccount[] {
  const chance = makeChance(seed, "population")
  return Array.from({ length: count }, (_, index) => makeHidden(world, chance, { index, count }))
}

type Place = { readonly index: number; readonly count: number }

function makeHidden(world: World, chance: Chance, { index, count }: Place): HiddenAccount {
  // Shares are dealt out by stride, so that plans, proxies and fates mix.
  const dealt = (salt: number) => ((index * 7919 + salt) % count) / count
  const plan = planAt(dealt(0))
  const isSeat = plan.name === "team" || (plan.name === "plus" && dealt(1_013) < SEATS_SHARE)
  const proxy = dealt(2_027) < PROXIED_SHARE ? `proxy-${1 + chance.below(PROXIES)}` : undefined
  const slowness = dealt(3_041) < SLOW_SHARE ? 4 : 1
  const lifetime = chance.happens(HOUR_TOKEN_SHARE) ? 3600 : Math.round(chance.between(0.05, 10) * 24 * 3600)
  const simulated = world.accounts.create({ name: `account-${index}`, plan: plan.name, accessLifetimeSec: lifetime })
  const windows = windowsOf(plan, chance, isSeat)
  return {
    id: `acc_${String(index).padStart(16, "0")}` as AccountId,
    simulated,
    proxy,
    maxLive: chance.oneOf(LIVE_LIMITS),
    maxStarts: 6 + chance.below(5),
    slowness,
    windows,
    isSeat,
    isOrdinary:
      slowness === 1 && proxy === undefined && !isSeat && windows.every(({ used, capacity }) => used < capacity * 0.6),
    live: 0,
    starts: [],
    dispatches: 0,
    served: 0,
    toldSpentAtMs: 0,
    spentUntilMs: 0,
  }
}

function planAt(share: number): Plan {
  let sum = 0
  for (const plan of PLANS) {
    sum += plan.share
    if (share < sum) return plan
  }
  throw new Error("the plans' shares do not add up to 1")
}

/** One account in ten begins the day with a week that is spent; of the others nobody knows how much they have used. */
function windowsOf(plan: Plan, chance: Chance, isSeat: boolean): readonly HiddenWindow[] {
  const weekCapacity = plan.perWeek
  const weekUsed = chance.happens(0.1) ? 1 : chance.between(0, 0.9)
  const week = {
    lengthMs: WEEK_MS,
    capacity: weekCapacity,
    used: weekCapacity * weekUsed,
    resetsAtMs: MIDNIGHT_MS + Math.round(chance.between(0, 7 * 24)) * HOUR_MS + chance.below(HOUR_MS / 1000) * 1000,
  }
  if (plan.perShortWindow === 0) return [week]
  const ownResetMs = MIDNIGHT_MS + (1 + chance.below(SHORT_MS / 1000)) * 1000
  const short = {
    lengthMs: SHORT_MS,
    capacity: plan.perShortWindow,
    used: 0,
    resetsAtMs: isSeat ? SHARED_RESET_MS - 3 * SHORT_MS : ownResetMs,
  }
  return [short, week]
}

/** Starts windows anew whose time is over. */
export function rollWindows({ windows }: HiddenAccount, nowMs: number): void {
  for (const window of windows) {
    while (window.resetsAtMs <= nowMs) {
      window.resetsAtMs += window.lengthMs
      window.used = 0
    }
  }
}

/** When the last spent window resets, milliseconds since the epoch; 0 = none is spent. */
export function spentUntilMs(hidden: HiddenAccount, nowMs: number): number {
  rollWindows(hidden, nowMs)
  let untilMs = 0
  for (const { used, capacity, resetsAtMs } of hidden.windows) {
    if (used >= capacity) untilMs = Math.max(untilMs, resetsAtMs)
  }
  return untilMs
}
