/** The picking policies by name: what comes before the load, and what orders accounts that are alike. */

import { type Cells, largeOf, USES, WEIGHT } from "./cells.ts"
import { makeKeyHeaps } from "./key-heaps.ts"
import { makeLoadLists } from "./load-lists.ts"
import type { PickOrder } from "./order.ts"

/** Every policy there is. */
export const STRATEGIES = [
  "least-loaded",
  "round-robin",
  "least-used",
  "fill-first",
  "quota-balanced",
  "soonest-reset",
  "weighted",
] as const

/** Name of a policy. */
export type Strategy = (typeof STRATEGIES)[number]

/**
 * True for the policies that send everybody to a few accounts. New work then takes a third of an account's slots as long
 * as another one of the same priority and tier has as much room, so that conversations find a slot where their cache is.
 */
export function keepsRoom(strategy: Strategy): boolean {
  return strategy === "fill-first" || strategy === "soonest-reset"
}

/** What orders are made from; `random` is in [0, 1). */
export type OrderParts = { readonly cells: Cells; readonly random: () => number }

/** Makes the empty order of a policy. Policies that look at quota do so through bands, and order each band by load. */
export function makeOrder(strategy: Strategy, { cells, random }: OrderParts): PickOrder {
  switch (strategy) {
    case "least-loaded":
    case "quota-balanced":
    case "soonest-reset":
      return makeLoadLists({ cells, by: "load", random })
    case "round-robin":
      return makeLoadLists({ cells, by: "turn", random })
    case "least-used":
      // The part behind the point is chance: it decides among equals and never outweighs a use.
      return makeKeyHeaps({
        cells,
        keyOf: (account, last, floor) =>
          Number.isNaN(last) ? Math.max(largeOf(cells, account, USES), Math.floor(floor)) + random() / 2 : last,
        keyAfter: (_, key) => Math.floor(key) + 1 + random() / 2,
      })
    case "fill-first":
      return makeKeyHeaps({ cells, keyOf: account => cells.entered[account] ?? 0, keyAfter: (_, key) => key })
    case "weighted":
      return makeKeyHeaps({
        cells,
        // Whoever comes back from a rest does not catch up on what it has missed.
        keyOf: (account, last, floor) =>
          Number.isNaN(last) ? floor + strideOf(cells, account) * random() : Math.max(last, floor),
        keyAfter: (account, key) => key + strideOf(cells, account),
      })
  }
}

/** The lighter an account, the further it moves back with each request. */
function strideOf(cells: Cells, account: number): number {
  return 1 / Math.max(largeOf(cells, account, WEIGHT), MIN_WEIGHT)
}

/** Even an account of no weight gets a turn now and then; its quota has a block of its own when it is spent. */
const MIN_WEIGHT = 0.001
