/** What sources say of an account's quota, joined window by window. */

import { describe, expect, test } from "bun:test"

import type { QuotaSnapshot } from "#core/upstream.ts"
import { mergeQuota, quotaAt } from "#gateway/quota/merge-quota.ts"

const FIVE_HOURS = 18_000
const WEEK = 604_800
const MONTH = 30 * 86_400

function said(observedAtMs: number, used: Readonly<Record<number, number>>, rest: Partial<QuotaSnapshot> = {}) {
  const windows = Object.entries(used).map(([windowSec, usedPercent]) => ({
    windowSec: Number(windowSec),
    usedPercent,
  }))
  return { observedAtMs, windows, limitReached: false, ...rest } satisfies QuotaSnapshot
}

function used({ windows }: Pick<QuotaSnapshot, "windows">): Readonly<Record<number, number>> {
  return Object.fromEntries(windows.map(({ windowSec, usedPercent }) => [windowSec, usedPercent]))
}

describe("windows", () => {
  test("are told apart by length, in whatever slot and however many", () => {
    const first = said(1, { [WEEK]: 10, [FIVE_HOURS]: 20 })
    expect(used(mergeQuota(first, said(2, { [MONTH]: 5, [WEEK]: 11 })))).toEqual({
      [FIVE_HOURS]: 20,
      [WEEK]: 11,
      [MONTH]: 5,
    })
  })

  test("keep their fresher word, each for itself, whichever source was heard last", () => {
    const late = mergeQuota(said(10, { [FIVE_HOURS]: 50 }), said(5, { [FIVE_HOURS]: 20, [WEEK]: 3 }))
    expect(used(late)).toEqual({ [FIVE_HOURS]: 50, [WEEK]: 3 })
    expect(late.observedAtMs).toBe(10)
    const between = mergeQuota(late, said(7, { [FIVE_HOURS]: 30, [WEEK]: 4 }))
    expect(used(between)).toEqual({ [FIVE_HOURS]: 50, [WEEK]: 4 })
    expect(used(mergeQuota(between, said(11, { [FIVE_HOURS]: 0 })))).toEqual({ [FIVE_HOURS]: 0, [WEEK]: 4 })
  })

  test("go only when a source that names all of them does not", () => {
    const known = said(1, { [FIVE_HOURS]: 20, [WEEK]: 30 })
    expect(used(mergeQuota(known, said(2, { [WEEK]: 31 }, { isWhole: true })))).toEqual({ [WEEK]: 31 })
    expect(used(mergeQuota(known, said(0, { [WEEK]: 1 }, { isWhole: true })))).toEqual({ [FIVE_HOURS]: 20, [WEEK]: 30 })
  })

  test("of one length in one source count by the tighter one", () => {
    const twins = { ...said(2, {}), windows: [60, 80, 70].map(usedPercent => ({ windowSec: WEEK, usedPercent })) }
    expect(used(mergeQuota(said(1, { [WEEK]: 90 }), twins))).toEqual({ [WEEK]: 80 })
  })

  test("are the same in seconds and in minutes rounded up", () => {
    expect(used(mergeQuota(said(1, { 18001: 5 }), said(2, { 18060: 6 })))).toEqual({ 18060: 6 })
  })

  test("count as empty once their reset has passed", () => {
    const spent = { usedPercent: 100, windowSec: FIVE_HOURS, resetsAtSec: 100 }
    const bucket = { bucket: "b", windows: [spent], limitReached: true }
    const quota: QuotaSnapshot = { observedAtMs: 1, windows: [spent], limitReached: true, buckets: [bucket] }
    expect(quotaAt(quota, 99_999)).toBe(quota)
    const after = quotaAt(quota, 100_000)
    expect([after, ...(after.buckets ?? [])].map(part => [used(part)[FIVE_HOURS], part.limitReached])).toEqual([
      [0, false],
      [0, false],
    ])
  })
})

test("a word about a named quota leaves the main one, its credits and its plan as they were", () => {
  const credits = { hasCredits: true, unlimited: false, balance: "3" }
  const known = said(1, { [FIVE_HOURS]: 100 }, { limitReached: true, planType: "pro", credits })
  const bucket = { bucket: "codex_bengalfox", windows: [{ usedPercent: 4, windowSec: WEEK }], limitReached: false }
  expect(mergeQuota(known, said(2, {}, { buckets: [bucket] }))).toMatchObject({
    limitReached: true,
    windows: [{ usedPercent: 100, observedAtMs: 1 }],
    planType: "pro",
    credits,
    buckets: [bucket],
  })
})

test("a named quota is one, whether a source knows its id or only its name", () => {
  const window = (usedPercent: number) => [{ usedPercent, windowSec: WEEK }]
  const byId = { bucket: "codex_bengalfox", name: "Spark", windows: window(4), limitReached: false }
  const byName = { bucket: "Spark", windows: window(100), limitReached: true }
  const merged = mergeQuota(said(1, {}, { buckets: [byId] }), said(2, {}, { buckets: [byName] }))
  expect(merged.buckets).toEqual([{ ...byId, windows: window(100), limitReached: true }])
  const stale = mergeQuota(merged, said(1, {}, { buckets: [byId] }))
  expect(stale.buckets).toEqual(merged.buckets)
})
