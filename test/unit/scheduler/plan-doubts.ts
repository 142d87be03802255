/** A bookkeeper's own list of the models that plans were refused. */

import type { AccountId } from "#core/ids.ts"
import type { AccountFacts } from "#scheduler/types.ts"

type Doubt = { readonly accounts: Set<AccountId>; lastAtMs: number; untilMs: number }

/** The list. */
export class PlanDoubts {
  readonly #doubts = new Map<string, Doubt>()

  /** An account of the plan was refused the model. */
  refused(facts: AccountFacts, model: string, { nowMs, forMs }: { nowMs: number; forMs: number }): void {
    const key = keyOf(facts, model)
    const known = this.#doubts.get(key)
    const doubt =
      known !== undefined && known.untilMs > nowMs ? known : { accounts: new Set<AccountId>(), lastAtMs: 0, untilMs: 0 }
    doubt.accounts.add(facts.id)
    doubt.lastAtMs = nowMs
    doubt.untilMs = Math.max(doubt.untilMs, nowMs + forMs)
    this.#doubts.set(key, doubt)
  }

  /** A success that began after the last refusal proves it wrong. */
  served(facts: AccountFacts, model: string, startedAtMs: number): void {
    const key = keyOf(facts, model)
    if (startedAtMs > (this.#doubts.get(key)?.lastAtMs ?? 0)) this.#doubts.delete(key)
  }

  /** An operator says that what was concluded of the plan counts no longer. */
  forget(facts: AccountFacts, model: string): void {
    this.#doubts.delete(keyOf(facts, model))
  }

  /** Two accounts of the plan were refused the model, and nothing has proven them wrong. */
  lacks(facts: AccountFacts, model: string, nowMs: number): boolean {
    const doubt = this.#doubts.get(keyOf(facts, model))
    return doubt !== undefined && doubt.accounts.size > 1 && doubt.untilMs > nowMs
  }
}

function keyOf({ provider, plan }: AccountFacts, model: string): string {
  return [provider, plan, model].join(" ")
}
