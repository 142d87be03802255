/** Waiting times: which statement counts, and the bounds around it. */

import { describe, expect, test } from "bun:test"

import { readErrorReply } from "#providers/error-reply.ts"
import { readUsageBody } from "#providers/read-quota-json.ts"
import { burstWaitMs, quotaWaitMs, textWaitMs } from "#providers/wait-time.ts"

const NOW_MS = 1_790_000_000_000
const NOW_SEC = NOW_MS / 1000
const DAY_MS = 86_400_000

describe("times in texts", () => {
  test.each([
    ["Please try again in 11.054s.", 11_054],
    ["Please try again in 28ms. Visit https://example.com", 28],
    ["try again in 35 seconds", 35_000],
    ["Try again in 1h2m3s", 3_723_000],
    ["try again in 6m0s", 360_000],
    ["Try again in 2 days and 3 hours.", 2 * DAY_MS + 3 * 3_600_000],
    ["You can retry after 5 minutes", 300_000],
    ["Try again in 3 days 4 hours 5 minutes", 3 * DAY_MS + 4 * 3_600_000 + 300_000],
  ])("%p means %p ms", (text, ms) => {
    expect(textWaitMs(text)).toBeCloseTo(ms, 3)
  })

  test.each(["", "Please try again later.", "try again in a while", "try again in 5 parsecs"])(
    "%p means nothing",
    text => {
      expect(textWaitMs(text)).toBeUndefined()
    },
  )
})

describe("spent quotas", () => {
  const wait = (failure: Record<string, number>, message = "") =>
    quotaWaitMs({ status: 429, message, ...failure }, NOW_MS)

  test("the absolute reset counts before all else", () => {
    expect(wait({ resetsAtSec: NOW_SEC + 10, resetsInSec: 99, retryAfterMs: 1 })).toBe(11_000)
    expect(wait({ resetsInSec: 99, retryAfterMs: 1 })).toBe(100_000)
    expect(wait({ retryAfterMs: 5_000 }, "try again in 9s")).toBe(6_000)
    expect(wait({}, "try again in 9s")).toBe(10_000)
  })

  test("without a time it is five minutes, with a passed one two seconds", () => {
    expect(wait({})).toBe(300_000)
    expect(wait({ resetsAtSec: NOW_SEC - 5 })).toBe(2_000)
    expect(wait({ resetsInSec: 0 })).toBe(2_000)
  })

  test("no wait is longer than a month", () => {
    expect(wait({ resetsAtSec: NOW_SEC * 2 })).toBe(31 * DAY_MS)
    expect(wait({ resetsInSec: 7 * 86_400 })).toBe(7 * DAY_MS + 1000)
  })
})

test("fault 6: a reset that is written in milliseconds is the moment it means", () => {
  const body = JSON.stringify({ error: { type: "usage_limit_reached", resets_at: NOW_MS + 7_200_000 } })
  const failure = readErrorReply({ status: 429, headers: new Headers(), bodyText: body })
  expect(quotaWaitMs(failure, NOW_MS)).toBe(7_201_000)
  const window = { used_percent: 100, limit_window_seconds: 18_000, reset_at: NOW_MS + 7_200_000 }
  const usage = readUsageBody({ rate_limit: { limit_reached: true, primary_window: window } }, NOW_MS)
  expect(usage?.windows).toEqual([{ usedPercent: 100, windowSec: 18_000, resetsAtSec: NOW_SEC + 7200 }])
})

describe("short throttles", () => {
  const wait = (failure: Record<string, number>, message = "") =>
    burstWaitMs({ status: 429, message, ...failure }, NOW_MS)

  test("the retry header counts before the text", () => {
    expect(wait({ retryAfterMs: 7_000 }, "try again in 9s")).toBe(7_000)
    expect(wait({}, "try again in 9s")).toBe(9_000)
    expect(wait({})).toBe(3_000)
  })

  test("nothing below zero, nothing above half an hour", () => {
    expect(wait({ retryAfterMs: 0 })).toBe(2_000)
    expect(wait({ retryAfterMs: 9_999_999_999 })).toBe(30 * 60_000)
  })
})
