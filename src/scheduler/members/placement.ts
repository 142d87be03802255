/** What the operator has said about single accounts or kinds of them: priority, weight, tags. */

import type { AccountId, ProviderId } from "#core/ids.ts"

/** What rules can go by, and what an account says itself. */
export type Placed = {
  readonly id: AccountId
  readonly provider: ProviderId
  readonly plan?: string
  readonly priority?: number
  readonly weight?: number
  readonly tags?: readonly string[]
}

/**
 * Rules by selector: an account id, `tag/<tag>`, `plan/<plan>` or `provider/<provider>`. The first of these that has a
 * rule counts; tags add up.
 */
export type PlacementRules = {
  /** −100 … 100, higher goes first. */
  readonly priorities: Readonly<Record<string, number>>
  readonly weights: Readonly<Record<string, number>>
  readonly tags: Readonly<Record<string, readonly string[]>>
}

/** Where an account belongs. */
export type Placement = {
  readonly priority: number
  readonly weight: number
  /** Sorted, without repetition. */
  readonly tags: readonly string[]
}

/** No rules at all. */
export const NO_RULES: PlacementRules = { priorities: {}, weights: {}, tags: {} }

const DEFAULT_PLACEMENT: Placement = { priority: 0, weight: 1, tags: [] }

/** Returns the account's placement: what its own facts say, else the rules, else the middle. */
export function placementOf(facts: Placed, rules: PlacementRules): Placement {
  if (rules === NO_RULES && facts.tags === undefined && facts.priority === undefined && facts.weight === undefined) {
    return DEFAULT_PLACEMENT
  }
  const kinds = [...(facts.plan === undefined ? [] : [`plan/${facts.plan}`]), `provider/${facts.provider}`]
  const tags = [...(facts.tags ?? []), ...[facts.id, ...kinds].flatMap(selector => rules.tags[selector] ?? [])]
  const unique = [...new Set(tags)].sort()
  const selectors = [facts.id, ...unique.map(tag => `tag/${tag}`), ...kinds]
  return {
    priority: facts.priority ?? firstOf(rules.priorities, selectors) ?? DEFAULT_PLACEMENT.priority,
    weight: facts.weight ?? firstOf(rules.weights, selectors) ?? DEFAULT_PLACEMENT.weight,
    tags: unique,
  }
}

function firstOf(rules: Readonly<Record<string, number>>, selectors: readonly string[]): number | undefined {
  for (const selector of selectors) if (Object.hasOwn(rules, selector)) return rules[selector]
  return undefined
}
