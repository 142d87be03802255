import { describe, expect, test } from "bun:test"

import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import type { NextStep, Verdict } from "#core/outcome.ts"
import { type AttemptHistory, nextStep } from "#gateway/turn/retry.ts"

const a = "acc_a" as AccountId
const limits = { maxAccounts: 3, maxDispatches: 4 }

function verdict(next: NextStep): Verdict {
  return { error: new GatewayError("upstream-unavailable", "no"), effect: { type: "none" }, next, delayMs: 300 }
}

function history(part: Partial<AttemptHistory> = {}): AttemptHistory {
  return { dispatches: 1, accounts: [a], sameAccountRetries: 0, stripped: false, refreshed: new Set(), ...part }
}

describe("the step after a failed attempt", () => {
  test("a refusal of the request itself is the answer", () => {
    expect(nextStep(verdict("stop"), a, history(), limits)).toEqual({ type: "stop" })
  })

  test("an account's failure moves on to another account", () => {
    expect(nextStep(verdict("other-account"), a, history(), limits)).toMatchObject({ type: "again", on: "other" })
  })

  test("no fourth account is used when three are allowed", () => {
    const used = [a, "acc_b" as AccountId, "acc_c" as AccountId]
    expect(nextStep(verdict("other-account"), a, history({ accounts: used, dispatches: 3 }), limits).type).toBe("stop")
  })

  test("a fifth dispatch is never made", () => {
    for (const next of ["same-account", "other-account", "refresh-then-same", "strip-then-same"] as const) {
      expect(nextStep(verdict(next), a, history({ dispatches: 4 }), limits).type).toBe("stop")
    }
  })

  test("the second failure on the same account goes elsewhere", () => {
    expect(nextStep(verdict("same-account"), a, history(), limits)).toMatchObject({ on: "same", delayMs: 300 })
    expect(nextStep(verdict("same-account"), a, history({ sameAccountRetries: 1 }), limits)).toMatchObject({
      on: "other",
    })
  })

  test("a credential is refreshed once, then another account is asked", () => {
    expect(nextStep(verdict("refresh-then-same"), a, history(), limits)).toMatchObject({ on: "same", refresh: true })
    const refreshed = history({ refreshed: new Set([a]) })
    expect(nextStep(verdict("refresh-then-same"), a, refreshed, limits)).toMatchObject({ on: "other", refresh: false })
  })

  test("encrypted items are stripped once, then the refusal is the answer", () => {
    expect(nextStep(verdict("strip-then-same"), a, history(), limits)).toMatchObject({ on: "same", strip: true })
    expect(nextStep(verdict("strip-then-same"), a, history({ stripped: true }), limits).type).toBe("stop")
  })
})
