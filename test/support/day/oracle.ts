/**
 * Says which requests somebody could have served, without asking the gateway anything.
 *
 * A request is *serviceable* when at some moment from its arrival until its patience ends (`queue.timeout`, 30 s) the upstream
 * is up and has a free slot for it on an account that would have begun to answer it then:
 *
 * - the account's plan has the model, and no window of its quota is spent;
 * - it is not closed, and its sign-in holds: the access token is live, or the token endpoint works and would renew it;
 * - its way out works;
 * - it has fewer answers under way than the upstream bears from it and the operator allows (`account-concurrency`), and fewer
 *   starts in the last ten seconds than the upstream bears.
 *
 * One slot is enough for one request: those that wait are looked at in the order of their arrival, and whoever could have been
 * served and was not keeps its slot for as long as its answer would have taken.
 *
 * All of this is read from the upstream's hidden truth, of which the gateway is told only by answers. A request whose answer the
 * upstream itself broke off after the first output is not serviceable: nobody can take back what the client has read. Neither
 * is one whose client left. During the brownout the upstream counts as up, since six requests of seven pass.
 */

import type { Clock, Timers } from "#core/clock.ts"
import { findModel, hasModel } from "#simulator/models.ts"
import type { World } from "#simulator/world.ts"

import type { Asked } from "./asked.ts"
import { ACCOUNT_CONCURRENCY } from "./bricks.ts"
import { deathOf, isWithin, outageAt, TOKEN_OUTAGE } from "./calendar.ts"
import { type HiddenAccount, spentUntilMs } from "./population.ts"

/** The oracle. */
export type Oracle = {
  /** Called when the request arrives; writes `isServiceable` now or within its patience. */
  readonly judge: (asked: Asked) => void
}

const PATIENCE_MS = 30_000
const LOOK_MS = 500
const PACE_MS = 10_000

/** A slot that a request could have had. */
type Claim = { readonly asked: Asked; readonly untilMs: number }

/** Makes the oracle over the upstream's truth. */
export function makeOracle(parts: {
  readonly clock: Clock
  readonly timers: Timers
  readonly world: World
  readonly accounts: readonly HiddenAccount[]
}): Oracle {
  const { clock, timers, world, accounts } = parts
  const pending: Asked[] = []
  let claims: Claim[] = []
  // Where somebody was found last time somebody is likely to be found again.
  let start = 0

  /** True when more than `taken` slots are free. */
  function hasFree(model: string, taken: number, nowMs: number): boolean {
    if (outageAt(nowMs) !== undefined) return false
    let free = 0
    for (let step = 0; step < accounts.length; step++) {
      const at = (start + step) % accounts.length
      const hidden = accounts[at]
      free += hidden === undefined ? 0 : freeSlots(hidden, { model, nowMs, world })
      if (free <= taken) continue
      if (taken === 0) start = at
      return true
    }
    return false
  }

  /** Slots that somebody could have had and does not use: once it is under way the upstream counts it by itself. */
  function claimed(model: string, nowMs: number): number {
    claims = claims.filter(({ asked, untilMs }) => untilMs > nowMs && !isUnderWay(asked))
    return claims.filter(({ asked }) => asked.model === model).length
  }

  function tryOne(asked: Asked, nowMs: number): boolean {
    if (!hasFree(asked.model, claimed(asked.model, nowMs), nowMs)) return false
    asked.isServiceable = true
    const { thinkMs, writeMs } = asked.work
    claims.push({ asked, untilMs: nowMs + thinkMs + writeMs })
    return true
  }

  timers.every(LOOK_MS, () => {
    const nowMs = clock()
    const full = new Set<string>()
    for (const asked of pending.splice(0)) {
      // It has found a slot by itself.
      if (asked.outcome === "served") asked.isServiceable = true
      else if (full.has(asked.model) || !tryOne(asked, nowMs)) {
        full.add(asked.model)
        if (nowMs < asked.startedAtMs + PATIENCE_MS) pending.push(asked)
      }
    }
  })

  return {
    judge: asked => {
      const isFirst = !pending.some(({ model }) => model === asked.model)
      if (!isFirst || !tryOne(asked, clock())) pending.push(asked)
    },
  }
}

/** Served and dispatched requests are in the upstream's own count of what is under way. */
function isUnderWay({ outcome, dispatches }: Asked): boolean {
  return outcome === "served" || outcome === "left" || (outcome === "running" && dispatches > 0)
}

type Question = { readonly model: string; readonly nowMs: number; readonly world: World }

/** How many more answers the account could begin at once. */
function freeSlots(hidden: HiddenAccount, { model, nowMs, world }: Question): number {
  const simulated = world.accounts.get(hidden.simulated.name)
  const wanted = findModel(model)
  if (wanted === undefined || !hasModel(simulated, wanted) || simulated.lifecycle !== "active") return 0
  const starts = hidden.starts.filter(startMs => nowMs - startMs < PACE_MS).length
  const free = Math.min(Math.min(hidden.maxLive, ACCOUNT_CONCURRENCY) - hidden.live, hidden.maxStarts - starts)
  if (free <= 0 || deathOf(hidden.proxy, nowMs) !== undefined || spentUntilMs(hidden, nowMs) > 0) return 0
  return isSignedIn(world, simulated, nowMs) ? free : 0
}

function isSignedIn({ sessions }: World, account: HiddenAccount["simulated"], nowMs: number): boolean {
  const { accessToken, refreshToken } = sessions.current(account)
  if (sessions.readAccess(accessToken)?.state === "live") return true
  return !isWithin(TOKEN_OUTAGE, nowMs) && sessions.readRefresh(refreshToken)?.state === "live"
}
