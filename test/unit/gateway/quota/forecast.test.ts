/** A pace is stated where readings allow it, and nowhere else. */

import { expect, test } from "bun:test"

import type { AccountId } from "#core/ids.ts"
import type { QuotaSnapshot } from "#core/upstream.ts"
import { forecastOf, poolForecast } from "#gateway/quota/forecast.ts"
import { makeQuotaHistory } from "#gateway/quota/quota-history.ts"

import { makeManualTime } from "../../../support/manual-timers.ts"

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const RESET_SEC = 100_000

function setUp() {
  const time = makeManualTime(1_000_000)
  const history = makeQuotaHistory({ clock: time.clock })
  const quotas = new Map<AccountId, QuotaSnapshot>()
  const forecast = (name: string) => {
    const id = name as AccountId
    const quota = quotas.get(id) ?? { observedAtMs: 0, windows: [], limitReached: false }
    return forecastOf(id, quota, { history, nowMs: time.clock() })
  }
  return {
    time,
    forecast,
    paceOf: (name: string) => forecast(name)[0]?.pace,
    pool: (...names: readonly string[]) => poolForecast(names.map(forecast), time.clock()),
    hear: (name: string, usedPercent: number, resetsAtSec = RESET_SEC) => {
      const windows = [{ usedPercent, windowSec: 18_000, resetsAtSec }]
      const quota = { observedAtMs: time.clock(), windows, limitReached: false }
      quotas.set(name as AccountId, quota)
      history.heard(name as AccountId, quota)
    },
  }
}

test("a window that fills by 20 points an hour is full when its rest is used up", async () => {
  const { hear, paceOf, time } = setUp()
  for (const used of [0, 5, 10, 15, 20]) {
    hear("a", used)
    await time.advance(15 * MINUTE_MS)
  }
  hear("a", 25)
  expect(paceOf("a")).toEqual({ percentPerHour: 20, fullAtMs: time.clock() + 3.75 * HOUR_MS })
})

test("nothing is said from few readings, from a moment, or from what was before a reset", async () => {
  const { hear, paceOf, time } = setUp()
  for (const used of [1, 10, 20, 30]) hear("a", used)
  await time.advance(14 * MINUTE_MS)
  expect(paceOf("a")).toBeUndefined()
  await time.advance(MINUTE_MS)
  expect(paceOf("a")).toBeDefined()
  hear("a", 31, RESET_SEC + 18_000)
  expect(paceOf("a")).toBeUndefined()
  for (const used of [50, 60]) hear("b", used)
  await time.advance(HOUR_MS)
  hear("b", 70)
  expect(paceOf("b")).toBeUndefined()
  hear("b", 1)
  expect(paceOf("b")).toBeUndefined()
})

test("an idle window has a pace of nothing and is never full; old readings do not count", async () => {
  const { hear, paceOf, time } = setUp()
  for (let round = 0; round < 5; round += 1) {
    hear("a", 40)
    await time.advance(10 * MINUTE_MS)
  }
  expect(paceOf("a")).toEqual({ percentPerHour: 0, fullAtMs: undefined })
  await time.advance(4 * HOUR_MS)
  expect(paceOf("a")).toBeUndefined()
})

test("the pool lasts as long as all its rests at all its paces, or nobody knows how long", async () => {
  const { hear, pool, time } = setUp()
  for (const step of [0, 1, 2, 3, 4]) {
    hear("a", 50 + 5 * step)
    hear("b", 20)
    await time.advance(15 * MINUTE_MS)
  }
  hear("a", 75)
  const [window] = pool("a", "b")
  expect(window).toMatchObject({ windowSec: 18_000, accounts: 2, measured: 2, remainingPercent: 52.5 })
  expect(window?.pace).toEqual({ percentPerHour: 20, fullAtMs: time.clock() + 5.25 * HOUR_MS })
  hear("c", 1)
  expect(pool("a", "b", "c")[0]).toMatchObject({ accounts: 3, measured: 2, pace: undefined })
})
