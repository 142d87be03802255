/** Warnings about used quota: once a crossing, gone with the reset. */

import { expect, test } from "bun:test"

import type { Account } from "#core/account.ts"
import type { AccountId } from "#core/ids.ts"
import { makeQuotaWarnings } from "#gateway/quota/quota-warnings.ts"

import { makeManualTime } from "../../../support/manual-timers.ts"

const SHORT = 18_000
const LONG = 604_800
const ACCOUNT: Account = {
  id: "acc_a" as AccountId,
  provider: "codex",
  label: "somebody@example.com",
  disabled: false,
  credential: { type: "chatgpt", accessToken: "token", generation: 0 },
  source: { type: "store" },
}

function setUp() {
  const time = makeManualTime(1_000_000)
  const lines: { readonly fields: Record<string, unknown>; readonly message: string }[] = []
  const limits = { short: [80, 90], long: [80, 90] }
  const warnings = makeQuotaWarnings({
    clock: time.clock,
    thresholds: () => limits,
    warn: (fields, message) => lines.push({ fields: { ...fields }, message }),
  })
  return {
    time,
    warnings,
    limits,
    thresholds: () => lines.map(({ fields }) => fields["threshold"]),
    lines,
    hear: (usedPercent: number, resetsAtSec = 20_000, windowSec = SHORT) =>
      warnings.heard(ACCOUNT, {
        observedAtMs: time.clock(),
        limitReached: false,
        windows: [{ usedPercent, windowSec, resetsAtSec }],
      }),
  }
}

test("each threshold is told once, however often it is heard and however it wavers", () => {
  const { hear, thresholds, warnings } = setUp()
  for (const used of [10, 79.9, 80, 81, 79.5, 80.2, 90, 95, 88, 91]) hear(used)
  expect(thresholds()).toEqual([80, 90])
  expect(warnings.of(ACCOUNT.id)).toMatchObject([{ threshold: 90, usedPercent: 91 }])
})

test("a jump over both is one warning", () => {
  const { hear, thresholds } = setUp()
  hear(97)
  expect(thresholds()).toEqual([90])
})

test("after a reset it is told anew, and before that nothing stands", async () => {
  const { hear, thresholds, warnings, time } = setUp()
  hear(85, 2000)
  await time.advance(1_500_000)
  expect(warnings.all()).toEqual([])
  hear(0, 20_000)
  hear(85, 20_000)
  expect(thresholds()).toEqual([80, 80])
  hear(86, 40_000)
  expect(thresholds()).toEqual([80, 80, 80])
})

test("short and long windows have thresholds of their own, which may change at any time", () => {
  const { hear, thresholds, limits, warnings } = setUp()
  limits.long = [50]
  hear(60, 20_000, LONG)
  hear(60)
  expect(thresholds()).toEqual([50])
  limits.short = []
  hear(99)
  expect(warnings.all()).toEqual([])
})

test("the line names the account masked, and a window of a named quota by its name", () => {
  const { warnings, lines } = setUp()
  const windows = [{ usedPercent: 92, windowSec: LONG }]
  warnings.heard(ACCOUNT, {
    observedAtMs: 1,
    limitReached: false,
    windows: [],
    buckets: [{ bucket: "codex_bengalfox", windows, limitReached: false }],
  })
  expect(lines[0]?.fields).toMatchObject({ account: ACCOUNT.id, bucket: "codex_bengalfox", used_percent: 92 })
  expect(JSON.stringify(lines)).not.toContain("somebody@")
  warnings.forget(ACCOUNT.id)
  expect(warnings.all()).toEqual([])
})
