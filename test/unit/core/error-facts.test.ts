/** What an upstream's error object says. */

import { expect, test } from "bun:test"

import { readErrorFacts } from "#core/error-facts.ts"

test("every fact of an error object is read", () => {
  const error = {
    code: "usage_limit_reached",
    type: "usage_limit",
    message: "The limit was reached.",
    param: "model",
    plan_type: "plus",
    resets_at: 1_790_000_000,
    resets_in_seconds: 60,
  }
  expect(readErrorFacts(error)).toEqual({
    code: "usage_limit_reached",
    type: "usage_limit",
    param: "model",
    planType: "plus",
    resetsAtSec: 1_790_000_000,
    resetsInSec: 60,
  })
})

test("what is absent or of another type is left out", () => {
  const error = { code: 429, param: null, plan_type: ["plus"], resets_at: "soon" }
  expect(Object.keys(readErrorFacts(error))).toEqual([])
})

test("the type of an event is not the type of a failure", () => {
  expect(readErrorFacts({ type: "error", code: "server_error" })).toEqual({ code: "server_error" })
})
