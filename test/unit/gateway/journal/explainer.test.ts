/** Which decisions are explained, and how much of the processor that may take. */

import { expect, test } from "bun:test"

import type { AccountId } from "#core/ids.ts"
import { type ExplainWish, makeExplainer } from "#gateway/journal/explainer.ts"
import type { Explanation } from "#scheduler/line/explanation.ts"

type World = { readonly wish?: ExplainWish; readonly accounts?: number }

function setUp({ wish = "trouble", accounts = 100 }: World = {}) {
  let nowMs = 1_800_000_000_000
  let written = 0
  const told: object[] = []
  const explainer = makeExplainer({ clock: () => nowMs, wish: () => wish, accounts: () => accounts })
  const write = () => {
    written += 1
    // The explainer passes it on and looks at nothing in it.
    return { decision: "lease" } as unknown as Explanation
  }
  return {
    told,
    explainer,
    written: () => written,
    pass: (ms: number) => {
      nowMs += ms
    },
    decide: (decision: Explanation["decision"], isRetry = false) =>
      explainer.demanding(isRetry, why => told.push(why))?.(decision, write),
  }
}

test("a request that goes well costs no walk over the pool; a retry and a refusal are explained", () => {
  const { decide, written } = setUp()
  decide("lease")
  decide("wait")
  expect(written()).toBe(0)
  decide("lease", true)
  decide("refusal")
  expect(written()).toBe(2)
})

test("an outage of a large pool has a few of its failures explained in a second, and more in the next", () => {
  const { decide, written, pass } = setUp({ accounts: 1_000 })
  for (let count = 0; count < 500; count += 1) decide("refusal")
  const first = written()
  expect(first).toBeGreaterThan(0)
  expect(first).toBeLessThanOrEqual(10)
  pass(1_000)
  for (let count = 0; count < 500; count += 1) decide("refusal")
  expect(written()).toBeLessThanOrEqual(2 * first + 1)
  expect(written()).toBeGreaterThan(first)
})

test("a pool larger than a second's allowance is explained less often, but is", () => {
  const { decide, written, pass } = setUp({ accounts: 100_000 })
  for (let second = 0; second < 60; second += 1) {
    decide("refusal")
    pass(1_000)
  }
  expect(written()).toBeGreaterThan(1)
  expect(written()).toBeLessThan(10)
})

test("always means always, conversations at home included; never asks for nothing", () => {
  const always = setUp({ wish: "always", accounts: 100_000 })
  for (let count = 0; count < 50; count += 1) always.decide("lease")
  expect(always.written()).toBe(50)
  const account = "acc_1" as AccountId
  always.explainer.atHome({ account, hold: "soft", owns: true }, why => always.told.push(why))
  expect(always.told.at(-1)).toMatchObject({ account, by: "conversation" })
  const never = setUp({ wish: "never" })
  expect(never.explainer.demanding(true, why => never.told.push(why))).toBeUndefined()
})
