/** Quota blocks follow what is known of each quota, and of that quota only. */

import { expect, test } from "bun:test"

import type { AccountId } from "#core/ids.ts"
import type { QuotaSnapshot } from "#core/upstream.ts"
import { applyQuota } from "#gateway/quota/apply-quota.ts"
import { mergeQuota } from "#gateway/quota/merge-quota.ts"
import { makeScheduler } from "#scheduler/scheduler.ts"

import { makeManualTime } from "../../../support/manual-timers.ts"

const ID = "acc_a" as AccountId
const SPARK = "gpt-5.3-codex-spark"

function setUp(options: { readonly skipsExhausted?: boolean } = {}) {
  const time = makeManualTime(1_000_000)
  const scheduler = makeScheduler({
    ...time,
    random: () => 0,
    limits: () => ({ accountConcurrency: 4, queueMax: 0, queueTimeoutMs: 0 }),
  })
  scheduler.upsert({ id: ID, provider: "codex", lifecycle: "enabled", credential: "fresh" })
  let known: QuotaSnapshot | undefined
  return {
    time,
    hear: (part: Partial<QuotaSnapshot>) => {
      const said = { observedAtMs: time.clock(), windows: [], limitReached: false, ...part }
      known = mergeQuota(known, said)
      applyQuota(
        ID,
        { said, merged: known, askedAtMs: said.observedAtMs },
        { scheduler, clock: time.clock, skipsExhausted: () => options.skipsExhausted ?? true },
      )
    },
    serves: (model: string) => {
      const deadlineMs = time.clock() + 1
      const acquired = scheduler.acquire({ model, exclude: new Set(), keyId: "k", deadlineMs })
      if (acquired.type === "lease") acquired.lease.release()
      return acquired.type === "lease"
    },
  }
}

const window = (usedPercent: number) => [{ usedPercent, windowSec: 18_000, resetsAtSec: 9000 }]
const spark = (usedPercent: number) => ({
  buckets: [
    {
      bucket: "codex_bengalfox",
      name: "GPT-5.3-Codex-Spark",
      windows: window(usedPercent),
      limitReached: usedPercent >= 100,
    },
  ],
})

test("a spent named quota rests its model and nothing else, until it is open again", async () => {
  const { hear, serves, time } = setUp()
  hear(spark(100))
  expect([serves(SPARK), serves("gpt-5.5")]).toEqual([false, true])
  await time.advance(1000)
  hear({ windows: window(20) })
  expect(serves(SPARK)).toBe(false)
  hear(spark(3))
  expect(serves(SPARK)).toBe(true)
})

test("a word about a named quota does not open the main one", async () => {
  const { hear, serves, time } = setUp()
  hear({ windows: window(100) })
  await time.advance(1000)
  hear(spark(1))
  expect(serves("gpt-5.5")).toBe(false)
  hear({ windows: window(0) })
  expect(serves("gpt-5.5")).toBe(true)
})

test("a window that is open opens nothing while another one is spent", async () => {
  const { hear, serves, time } = setUp()
  hear({ windows: window(100) })
  await time.advance(1000)
  hear({ windows: [{ usedPercent: 3, windowSec: 604_800 }] })
  expect(serves("gpt-5.5")).toBe(false)
})

test("credits carry an account on after its windows, also when another source spoke of them", async () => {
  const { hear, serves, time } = setUp()
  hear({ windows: window(40), credits: { hasCredits: true, unlimited: false, balance: "2.5" } })
  await time.advance(1000)
  hear({ windows: window(100) })
  expect(serves("gpt-5.5")).toBe(true)
})

test("with skipping off, what reads as spent is asked all the same", () => {
  const { hear, serves } = setUp({ skipsExhausted: false })
  hear({ windows: window(100), ...spark(100) })
  expect([serves("gpt-5.5"), serves(SPARK)]).toEqual([true, true])
})
