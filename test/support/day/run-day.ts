/** One day under one policy: everything is put together, time is let run, and the books are closed. */

import type { Account } from "#core/account.ts"
import type { Strategy } from "#scheduler/pick/strategies.ts"
import { makeWorld, type World } from "#simulator/world.ts"

import { makeVirtualTime, type VirtualTime } from "../virtual-time.ts"
import type { Asked } from "./asked.ts"
import { type DayBricks, layDayBricks } from "./bricks.ts"
import { MIDNIGHT_MS, OUTAGES, SEATS_SPENT_MS, SHARED_RESET_MS } from "./calendar.ts"
import { makeChance } from "./chance.ts"
import { type DayRow, type Herd, rowOf } from "./day-row.ts"
import { makeOracle } from "./oracle.ts"
import { type HiddenAccount, makePopulation } from "./population.ts"
import { startTraffic } from "./traffic.ts"
import { makeDayUpstream } from "./upstream.ts"

const HOUR_MS = 3_600_000

/** Which day. */
export type DayPlan = {
  readonly strategy: Strategy
  readonly seed: number
  readonly accounts: number
  /** In an average hour. */
  readonly requestsPerHour: number
  readonly fromHour: number
  readonly toHour: number
  /** Told after every simulated hour. */
  readonly progress?: (hour: number, requests: number) => void
}

/** Lets the last answers finish. */
const RUN_OUT_MS = HOUR_MS

/** Runs the day. The same plan gives the same row. Rejects when a slot, an answer or a promise is left over. */
export async function runDay(plan: DayPlan): Promise<DayRow> {
  const fromMs = MIDNIGHT_MS + plan.fromHour * HOUR_MS
  const toMs = MIDNIGHT_MS + plan.toHour * HOUR_MS
  const time = makeVirtualTime(fromMs)
  const { clock, timers } = time
  const world = makeWorld({ clock, timers, seed: `day ${plan.seed}`, recordLimit: 0, usePercentPerRequest: 0 })
  const { seed, requestsPerHour } = plan
  const accounts = makePopulation(world, { count: plan.accounts, seed })
  const all: Asked[] = []
  const asked = new Map<number, Asked>()
  const upstream = makeDayUpstream({ clock, timers, chance: makeChance(seed, "upstream"), world, accounts, asked })
  const chance = makeChance(seed, "gateway")
  const bricks = layDayBricks({
    clock,
    timers,
    chance,
    send: upstream.send,
    strategy: plan.strategy,
    record: () => {},
  })
  for (const hidden of accounts) bricks.put(accountOf(hidden, world))
  planFates(plan, { time, world, accounts, breakOff: upstream.breakOff })
  const herd = watchHerd(time, bricks)
  const oracle = makeOracle({ clock, timers, world, accounts })
  const traffic = startTraffic({
    clock,
    timers,
    calls: bricks.calls,
    plan: { seed, requestsPerHour, toMs },
    ask: draft => {
      const entry = enter(draft, all.length + 1, clock())
      all.push(entry)
      asked.set(entry.number, entry)
      oracle.judge(entry)
      return entry
    },
  })
  for (let hour = plan.fromHour + 1; hour <= plan.toHour; hour++) {
    await time.runUntil(Math.min(toMs, MIDNIGHT_MS + hour * HOUR_MS))
    plan.progress?.(hour, all.length)
  }
  await time.runUntil(toMs + RUN_OUT_MS)
  requireEmpty(bricks, { live: upstream.live(), all })
  await bricks.stop()
  return rowOf({
    strategy: plan.strategy,
    all,
    accounts,
    traffic,
    counts: upstream.counts,
    alarms: bricks.alarms.length,
    herd,
  })
}

function enter(
  draft: Pick<Asked, "conversation" | "model" | "work" | "leavesAfterMs">,
  number: number,
  startedAtMs: number,
): Asked {
  return {
    ...draft,
    number,
    startedAtMs,
    isServiceable: false,
    wasCut: false,
    dispatches: 0,
    firstDispatchAtMs: undefined,
    outcome: "running",
    code: "",
    servedBy: undefined,
    cachedTokens: 0,
    endedAtMs: 0,
  }
}

function accountOf({ id, simulated, proxy }: HiddenAccount, world: World): Account {
  const { accessToken, refreshToken, expiresAtSec } = world.sessions.issue(simulated)
  return {
    id,
    provider: "codex",
    label: simulated.email,
    email: simulated.email,
    plan: simulated.plan,
    workspaceId: simulated.workspaceId,
    userId: simulated.userId,
    disabled: false,
    ...(proxy !== undefined && { egress: proxy }),
    credential: {
      type: "chatgpt",
      accessToken,
      refreshToken,
      expiresAtMs: expiresAtSec * 1000,
      lastRefreshAtMs: world.clock(),
      generation: 0,
    },
    source: { type: "store" },
  }
}

type Fated = {
  readonly time: VirtualTime
  readonly world: World
  readonly accounts: readonly HiddenAccount[]
  readonly breakOff: (share: number) => void
}

/** Of the accounts: tokens that are taken back, accounts that are closed, sign-ins that end. */
const INVALIDATED_SHARE = 0.06
const CLOSED_SHARE = 0.005
const ENDED_SHARE = 0.003

/** What befalls single accounts, at times that the seed brings back. */
function planFates({ seed, fromHour, toHour }: DayPlan, { time, world, accounts, breakOff }: Fated): void {
  const { timers, clock } = time
  const chance = makeChance(seed, "fates")
  const sometime = (run: () => void) => timers.after(chance.between(0, toHour - fromHour) * HOUR_MS, run)
  for (const { simulated } of accounts) {
    const { name } = simulated
    const fate = chance.next()
    if (fate < INVALIDATED_SHARE) sometime(() => world.sessions.markAccess(name, "invalidated"))
    else if (fate < INVALIDATED_SHARE + CLOSED_SHARE) {
      sometime(() => world.accounts.update(name, { lifecycle: "deactivated" }))
    } else if (fate < INVALIDATED_SHARE + CLOSED_SHARE + ENDED_SHARE) {
      sometime(() => {
        world.sessions.markAccess(name, "invalidated")
        world.sessions.markRefresh(name, "invalidated")
      })
    }
  }
  if (SEATS_SPENT_MS >= clock()) timers.after(SEATS_SPENT_MS - clock(), () => spendSeats(accounts))
  for (const { fromMs, cuts } of OUTAGES) {
    if (fromMs >= clock()) timers.after(fromMs - clock(), () => breakOff(cuts))
  }
}

function spendSeats(accounts: readonly HiddenAccount[]): void {
  for (const { isSeat, windows } of accounts) {
    const [short] = windows
    if (isSeat && short !== undefined) short.used = short.capacity
  }
}

/** The accounts that will be tried again after the seats' common reset, and over how long these tries are spread. */
function watchHerd({ clock, timers }: VirtualTime, { scheduler }: DayBricks): Herd {
  const herd: Herd = { accounts: 0, spreadMs: 0 }
  if (SHARED_RESET_MS <= clock()) return herd
  timers.after(SHARED_RESET_MS - 1_000 - clock(), () => {
    const ends = scheduler
      .view()
      .flatMap(({ blocks }) => blocks.filter(({ cause }) => cause === "quota").map(({ untilMs }) => untilMs))
      .filter(untilMs => untilMs >= SHARED_RESET_MS && untilMs < SHARED_RESET_MS + 60_000)
    herd.accounts = ends.length
    herd.spreadMs = ends.length === 0 ? 0 : Math.max(...ends) - Math.min(...ends)
  })
  return herd
}

/** Every slot is back, every answer has ended, every request has an end. */
function requireEmpty({ scheduler }: DayBricks, { live, all }: { live: number; all: readonly Asked[] }): void {
  const { leases, waiting } = scheduler.counts()
  const running = all.filter(({ outcome }) => outcome === "running").length
  if (leases + waiting + live + running === 0) return
  throw new Error(`left over: ${leases} slots, ${waiting} in line, ${live} answers, ${running} requests`)
}
