import { expect, test } from "bun:test"

import { makeRetryBudget } from "#gateway/turn/retry-budget.ts"

function budgetAt() {
  let nowMs = 1_000_000
  const advance = (ms: number) => {
    nowMs += ms
  }
  const budget = makeRetryBudget({ clock: () => nowMs })
  return { budget, advance }
}

function grantedRetries(budget: { tryRetry: () => boolean }): number {
  let granted = 0
  while (granted < 10_000 && budget.tryRetry()) granted += 1
  return granted
}

test("a quiet gateway may still retry ten times in a window", () => {
  expect(grantedRetries(budgetAt().budget)).toBe(10)
})

test("a busy gateway retries a fifth of its requests", () => {
  const { budget } = budgetAt()
  for (let index = 0; index < 1000; index += 1) budget.request()
  expect(grantedRetries(budget)).toBe(200)
})

test("the next window has a budget again", () => {
  const { budget, advance } = budgetAt()
  grantedRetries(budget)
  advance(10_000)
  expect(budget.tryRetry()).toBe(true)
})
