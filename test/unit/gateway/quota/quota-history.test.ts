/** Readings of windows: kept when they are news, and bounded. */

import { expect, test } from "bun:test"

import type { AccountId } from "#core/ids.ts"
import { makeQuotaHistory } from "#gateway/quota/quota-history.ts"

import { makeManualTime } from "../../../support/manual-timers.ts"

const ID = "acc_a" as AccountId

function setUp() {
  const time = makeManualTime(1_000_000)
  const history = makeQuotaHistory({ clock: time.clock })
  return {
    time,
    history,
    hear: (usedPercent: number) =>
      history.heard(ID, { observedAtMs: 0, limitReached: false, windows: [{ usedPercent, windowSec: 18_000 }] }),
    used: () => history.of(ID)[0]?.readings.map(reading => reading.usedPercent),
  }
}

test("a reading is kept when it has changed by a point, has fallen, or after ten quiet minutes", async () => {
  const { hear, used, time } = setUp()
  for (const percent of [10, 10, 10.9, 11, 10.8, 10.8]) hear(percent)
  expect(used()).toEqual([10, 11, 10.8])
  await time.advance(10 * 60_000)
  hear(10.8)
  expect(used()).toEqual([10, 11, 10.8, 10.8])
})

test("the oldest readings make room, and an account that is gone leaves none", () => {
  const { hear, used, history } = setUp()
  for (let round = 0; round < 10; round += 1) for (let percent = 0; percent < 50; percent += 1) hear(percent)
  expect(used()).toHaveLength(48)
  expect(used()?.at(-1)).toBe(49)
  history.forget(ID)
  expect(history.of(ID)).toEqual([])
})
