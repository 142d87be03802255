/** One quota state behind headers, usage endpoint, events and refusals. */

import { expect, test } from "bun:test"

import type { Simulator } from "#simulator/simulator.ts"

import { GOOD_BODY, headersFor, postTurn, saying, turnEvents, withSimulator } from "./client.ts"

async function usage(simulator: Simulator, path = "/backend-api/wham/usage") {
  return (await fetch(`${simulator.url}${path}`, { headers: headersFor(simulator) })).json()
}

test("headers, usage endpoint and event tell the same", () =>
  withSimulator(
    async simulator => {
      simulator.control.setQuota("account-1", { primary: { usedPercent: 40 }, secondary: { usedPercent: 7 } })
      const events = await turnEvents(simulator, saying("[[simulate: quota-event]]"))
      const { headers } = await postTurn(simulator, GOOD_BODY)
      const primary = {
        used_percent: Number(headers.get("x-codex-primary-used-percent")),
        limit_window_seconds: Number(headers.get("x-codex-primary-window-minutes")) * 60,
        reset_after_seconds: Number(headers.get("x-codex-primary-reset-after-seconds")),
        reset_at: Number(headers.get("x-codex-primary-reset-at")),
      }
      expect(primary.used_percent).toBe(43)
      const body = await usage(simulator)
      expect(body).toMatchObject({ plan_type: "plus", rate_limit: { limit_reached: false, primary_window: primary } })
      expect(await usage(simulator, "/api/codex/usage")).toEqual(body)
      expect(events[1]).toMatchObject({ rate_limits: { primary: { used_percent: 41.5, reset_at: primary.reset_at } } })
    },
    { usePercentPerRequest: 1.5, clock: () => 1_790_000_000_000 },
  ))

test("a spent account answers 429 with body and headers that agree, and works again after the reset", async () => {
  let nowMs = 1_790_000_000_000
  await withSimulator(
    async simulator => {
      simulator.control.setQuota("account-1", { primary: { usedPercent: 100, resetsInSec: 600 } })
      const response = await postTurn(simulator, GOOD_BODY)
      expect(response.status).toBe(429)
      expect(await response.json()).toEqual({
        error: {
          type: "usage_limit_reached",
          message: "The usage limit has been reached",
          plan_type: "plus",
          resets_at: 1_790_000_600,
          eligible_promo: null,
          resets_in_seconds: 600,
        },
      })
      expect(response.headers.get("x-codex-primary-used-percent")).toBe("100")
      expect(response.headers.get("x-codex-primary-reset-at")).toBe("1790000600")
      expect(response.headers.get("x-codex-rate-limit-reached-type")).toBe("rate_limit_reached")
      nowMs += 600_000
      expect((await postTurn(simulator, GOOD_BODY)).status).toBe(200)
    },
    { clock: () => nowMs },
  )
})

test("credits let a spent account go on until they are used up", () =>
  withSimulator(async simulator => {
    const credits = { hasCredits: true, balance: 1 }
    simulator.control.setQuota("account-1", { primary: { usedPercent: 100 }, credits })
    const first = await postTurn(simulator, GOOD_BODY)
    expect([first.status, (await postTurn(simulator, GOOD_BODY)).status]).toEqual([200, 429])
  }))

test("booleans are Python's and an absent window is zero minutes with an empty reset time", () =>
  withSimulator(
    async simulator => {
      const { headers } = await postTurn(simulator, GOOD_BODY)
      expect(headers.get("x-codex-primary-window-minutes")).toBe("10080")
      expect(headers.get("x-codex-secondary-window-minutes")).toBe("0")
      expect(headers.get("x-codex-secondary-reset-at")).toBe("")
      expect(headers.get("x-codex-credits-has-credits")).toBe("False")
      expect(headers.get("x-codex-credits-balance")).toBe("")
      expect(await usage(simulator)).toMatchObject({ rate_limit: { secondary_window: null } })
    },
    { plan: "free" },
  ))

test("the small fast model counts apart from everything else", () =>
  withSimulator(
    async simulator => {
      const spark = { ...GOOD_BODY, model: "gpt-5.3-codex-spark" }
      simulator.control.setQuota("account-1", { primary: { usedPercent: 100 } })
      expect([(await postTurn(simulator, GOOD_BODY)).status, (await postTurn(simulator, spark)).status]).toEqual([
        429, 200,
      ])
      simulator.control.setQuota("account-1", { family: "codex_bengalfox", primary: { usedPercent: 100 } })
      const refused = await postTurn(simulator, spark)
      expect(refused.status).toBe(429)
      expect(refused.headers.get("x-codex-bengalfox-primary-used-percent")).toBe("100")
    },
    { plan: "pro" },
  ))
