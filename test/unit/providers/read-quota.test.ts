/** Quota from headers, from the usage endpoint and from events. */

import { describe, expect, test } from "bun:test"

import { readQuotaHeaders } from "#providers/read-quota-headers.ts"
import { readRateLimitEvent, readUsageBody } from "#providers/read-quota-json.ts"

const NOW_MS = 1_790_000_000_000
const NOW_SEC = NOW_MS / 1000

function headers(values: Record<string, string>) {
  return readQuotaHeaders(new Headers(values), NOW_MS)
}

describe("headers", () => {
  test("both windows, plan and credits", () => {
    expect(
      headers({
        "x-codex-plan-type": "plus",
        "x-codex-primary-used-percent": "12.5",
        "x-codex-primary-window-minutes": "300",
        "x-codex-primary-reset-at": String(NOW_SEC + 9000),
        "x-codex-primary-reset-after-seconds": "1",
        "x-codex-secondary-used-percent": "3",
        "x-codex-secondary-window-minutes": "10080",
        "x-codex-secondary-reset-after-seconds": "500000",
        "x-codex-credits-has-credits": "False",
        "x-codex-credits-unlimited": "False",
        "x-codex-credits-balance": "",
      }),
    ).toEqual({
      observedAtMs: NOW_MS,
      planType: "plus",
      windows: [
        { usedPercent: 12.5, windowSec: 18_000, resetsAtSec: NOW_SEC + 9000 },
        { usedPercent: 3, windowSec: 604_800, resetsAtSec: NOW_SEC + 500_000 },
      ],
      limitReached: false,
      credits: { hasCredits: false, unlimited: false },
    })
  })

  test("a window of 0 minutes with an empty reset is absent, and a weekly one may come first", () => {
    expect(
      headers({
        "x-codex-primary-used-percent": "100",
        "x-codex-primary-window-minutes": "10080",
        "x-codex-primary-reset-at": String(NOW_SEC + 471_285),
        "x-codex-secondary-used-percent": "0",
        "x-codex-secondary-window-minutes": "0",
        "x-codex-secondary-reset-at": "",
      }),
    ).toEqual({
      observedAtMs: NOW_MS,
      windows: [{ usedPercent: 100, windowSec: 604_800, resetsAtSec: NOW_SEC + 471_285 }],
      limitReached: true,
    })
  })

  test("headers without any quota say nothing", () => {
    expect(headers({ "content-type": "text/event-stream", "x-request-id": "1" })).toBeUndefined()
    expect(headers({ "x-codex-primary-used-percent": "nonsense", "x-codex-plan-type": "" })).toBeUndefined()
  })

  test("a window whose reset has passed is empty again", () => {
    const quota = headers({
      "x-codex-primary-used-percent": "100",
      "x-codex-primary-window-minutes": "300",
      "x-codex-primary-reset-at": String(NOW_SEC - 1),
    })
    expect(quota?.windows[0]?.usedPercent).toBe(0)
    expect(quota?.limitReached).toBe(false)
  })

  const SPENT = { "x-codex-primary-used-percent": "101", "x-codex-primary-window-minutes": "300" }

  test.each([
    [{ "x-codex-credits-has-credits": "True", "x-codex-credits-balance": "1348.7450000000" }, false],
    [{ "x-codex-credits-has-credits": "true", "x-codex-credits-balance": "0.0000" }, true],
    [{ "x-codex-credits-has-credits": "1" }, true],
    [{ "x-codex-credits-has-credits": "False", "x-codex-credits-unlimited": "True" }, false],
    [{}, true],
  ])("a spent window with credits %j is reached: %p", (credits, reached) => {
    const quota = headers({ ...SPENT, ...(credits as Record<string, string>) })
    expect(quota?.limitReached).toBe(reached)
    expect(quota?.windows[0]?.usedPercent).toBe(100)
  })

  test("a named reason counts as reached even without windows", () => {
    expect(headers({ "x-codex-rate-limit-reached-type": "rate_limit_reached" })?.limitReached).toBe(true)
  })

  test("a family of its own fills a bucket and leaves the main quota alone", () => {
    expect(
      headers({
        "x-codex-primary-used-percent": "5",
        "x-codex-primary-window-minutes": "300",
        "x-codex-bengalfox-primary-used-percent": "100",
        "x-codex-bengalfox-primary-window-minutes": "300",
        "x-codex-bengalfox-limit-name": "GPT-5.3-Codex-Spark",
        "x-codex-other-primary-used-percent": "0",
        "x-codex-other-primary-window-minutes": "0",
      }),
    ).toEqual({
      observedAtMs: NOW_MS,
      windows: [{ usedPercent: 5, windowSec: 18_000 }],
      limitReached: false,
      buckets: [
        {
          bucket: "codex_bengalfox",
          name: "GPT-5.3-Codex-Spark",
          windows: [{ usedPercent: 100, windowSec: 18_000 }],
          limitReached: true,
        },
      ],
    })
  })
})

describe("the usage endpoint", () => {
  const window = (used_percent: number, limit_window_seconds: number) => ({
    used_percent,
    limit_window_seconds,
    reset_after_seconds: 10,
    reset_at: NOW_SEC + 10,
  })

  test("windows, buckets, credits and plan", () => {
    expect(
      readUsageBody(
        {
          email: "a@example.com",
          plan_type: "plus",
          rate_limit: {
            allowed: true,
            limit_reached: false,
            primary_window: window(27, 18_000),
            secondary_window: window(4, 604_800),
          },
          code_review_rate_limit: null,
          additional_rate_limits: [
            {
              limit_name: "GPT-5.3-Codex-Spark",
              metered_feature: "codex_bengalfox",
              rate_limit: { limit_reached: true, primary_window: window(50, 18_000), secondary_window: null },
            },
            { limit_name: "empty", rate_limit: null },
            null,
          ],
          credits: { has_credits: true, unlimited: false, balance: "13.5" },
          spend_control: { reached: false },
          rate_limit_reached_type: null,
          promo: { anything: 1 },
        },
        NOW_MS,
      ),
    ).toEqual({
      observedAtMs: NOW_MS,
      planType: "plus",
      windows: [
        { usedPercent: 27, windowSec: 18_000, resetsAtSec: NOW_SEC + 10 },
        { usedPercent: 4, windowSec: 604_800, resetsAtSec: NOW_SEC + 10 },
      ],
      limitReached: false,
      isWhole: true,
      buckets: [
        {
          bucket: "codex_bengalfox",
          name: "GPT-5.3-Codex-Spark",
          windows: [{ usedPercent: 50, windowSec: 18_000, resetsAtSec: NOW_SEC + 10 }],
          limitReached: true,
        },
      ],
      credits: { hasCredits: true, unlimited: false, balance: "13.5" },
    })
  })

  test.each([
    [{ rate_limit: { allowed: true, limit_reached: true, primary_window: null } }, true],
    [{ rate_limit: { limit_reached: false, primary_window: window(100, 18_000) } }, true],
    [{ rate_limit_reached_type: { type: "workspace_member_usage_limit_reached" } }, true],
    [{ spend_control: { reached: true } }, true],
    [{ plan_type: "free", rate_limit: null }, false],
    [{ rate_limit: { limit_reached: true }, credits: { has_credits: true, balance: 3 } }, false],
  ])("%j is reached: %p", (body, reached) => {
    expect(readUsageBody(body, NOW_MS)?.limitReached).toBe(reached)
  })

  test.each([[null], [[]], ["text"], [{}], [{ detail: "Not Found" }], [{ rate_limit: null, credits: null }]])(
    "%j is no usage",
    body => {
      expect(readUsageBody(body, NOW_MS)).toBeUndefined()
    },
  )
})

describe("events", () => {
  const event = {
    type: "codex.rate_limits",
    plan_type: "plus",
    rate_limits: {
      allowed: true,
      limit_reached: false,
      primary: { used_percent: 4, window_minutes: 300, reset_after_seconds: 16_394 },
      secondary: null,
    },
  }

  test("the event speaks of the main quota unless it names another", () => {
    expect(readRateLimitEvent(event, NOW_MS)).toEqual({
      observedAtMs: NOW_MS,
      planType: "plus",
      windows: [{ usedPercent: 4, windowSec: 18_000, resetsAtSec: NOW_SEC + 16_394 }],
      limitReached: false,
    })
    const spark = readRateLimitEvent({ ...event, metered_limit_name: "codex_bengalfox" }, NOW_MS)
    expect(spark?.windows).toEqual([])
    expect(spark?.buckets?.[0]).toMatchObject({ bucket: "codex_bengalfox", limitReached: false })
  })

  test("metadata brings the headers that the reply did not have", () => {
    const headers = { "X-Codex-Primary-Used-Percent": "12.5", "x-codex-primary-window-minutes": 300 }
    for (const type of ["response.metadata", "codex.response.metadata"]) {
      expect(readRateLimitEvent({ type, headers }, NOW_MS)?.windows).toEqual([{ usedPercent: 12.5, windowSec: 18_000 }])
    }
    expect(readRateLimitEvent({ type: "response.metadata", headers: { date: "x" } }, NOW_MS)).toBeUndefined()
  })

  test("code reviews are counted apart, under one name in every source", () => {
    const limits = { limit_reached: false, primary: { used_percent: 4, window_minutes: 300 } }
    const fromEvent = readRateLimitEvent({ ...event, code_review_rate_limits: limits }, NOW_MS)
    const body = { rate_limit: null, code_review_rate_limit: limits }
    const headers = new Headers({
      "x-codex-code-review-primary-used-percent": "4",
      "x-codex-code-review-primary-window-minutes": "300",
    })
    for (const said of [fromEvent, readUsageBody(body, NOW_MS), readQuotaHeaders(headers, NOW_MS)]) {
      expect(said?.buckets).toMatchObject([{ bucket: "code_review", windows: [{ usedPercent: 4 }] }])
    }
  })

  test("other events are none of its business", () => {
    for (const json of [null, "x", {}, { ...event, type: "response.created" }]) {
      expect(readRateLimitEvent(json, NOW_MS)).toBeUndefined()
    }
  })
})
