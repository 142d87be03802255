/** What a request uses up: four numbers that are added, reserved and given back together. */

import type { Caps } from "./key-policy.ts"

/** The quantities. Cost is in millionths of a dollar. */
export type Amounts = {
  requests: number
  inputTokens: number
  outputTokens: number
  costMicroUsd: number
}

/** Millionths of a dollar. */
export const MICRO_USD = 1_000_000

/** Nothing of anything. */
export function noAmounts(): Amounts {
  return { requests: 0, inputTokens: 0, outputTokens: 0, costMicroUsd: 0 }
}

/** Adds to `total`, or takes away with a `sign` of -1. */
export function addAmounts(total: Amounts, more: Readonly<Amounts>, sign: 1 | -1 = 1): void {
  total.requests += sign * more.requests
  total.inputTokens += sign * more.inputTokens
  total.outputTokens += sign * more.outputTokens
  total.costMicroUsd += sign * more.costMicroUsd
}

/** A quantity that caps name. */
export type Quantity = keyof Caps

/** The quantities that caps name, in the order they are checked. */
export const QUANTITIES = ["requests", "input_tokens", "output_tokens", "tokens", "cost_usd"] as const

/** Reads one quantity in the unit of its cap; cost in dollars. */
export function amountOf(amounts: Readonly<Amounts>, quantity: Quantity): number {
  switch (quantity) {
    case "requests":
      return amounts.requests
    case "input_tokens":
      return amounts.inputTokens
    case "output_tokens":
      return amounts.outputTokens
    case "tokens":
      return amounts.inputTokens + amounts.outputTokens
    case "cost_usd":
      return amounts.costMicroUsd / MICRO_USD
  }
}
