/** What models cost, as far as the operator has said; nothing is guessed. */

import type { Usage } from "#core/events.ts"
import { fitsPattern, isPattern } from "#gateway/models/name-pattern.ts"

/** Dollars a million tokens, which is the same as millionths of a dollar a token. */
export type Price = { readonly input: number; readonly cachedInput: number; readonly output: number }

/** Prices by upstream model; names may hold `*`, and names come before patterns. */
export type PriceList = Readonly<Record<string, Price>>

/** Finds a model's price; undefined = unknown. */
export type PriceOf = (slug: string) => Price | undefined

const MAX_REMEMBERED = 1_000

/** Makes the look-up; what was found is remembered until the list is another one. */
export function makePriceOf(prices: () => PriceList): PriceOf {
  let known: PriceList | undefined
  const found = new Map<string, Price | undefined>()
  return slug => {
    const list = prices()
    if (list !== known || found.size > MAX_REMEMBERED) found.clear()
    known = list
    if (!found.has(slug)) found.set(slug, find(list, slug))
    return found.get(slug)
  }
}

/** The cost of an answer in millionths of a dollar, rounded. */
export function costOf(
  price: Price | undefined,
  usage: Pick<Usage, "inputTokens" | "inputCachedTokens" | "outputTokens">,
): number {
  if (price === undefined) return 0
  const { inputTokens, inputCachedTokens, outputTokens } = usage
  const fresh = (inputTokens - inputCachedTokens) * price.input
  return Math.round(fresh + inputCachedTokens * price.cachedInput + outputTokens * price.output)
}

function find(list: PriceList, slug: string): Price | undefined {
  if (Object.hasOwn(list, slug)) return list[slug]
  const entry = Object.entries(list).find(([name]) => isPattern(name) && fitsPattern(name, slug))
  return entry?.[1]
}
