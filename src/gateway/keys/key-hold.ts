/** What is held for a request while it runs, if it fits the limits of its key. */

import type { Clock } from "#core/clock.ts"
import type { ClientCall, ModelRequest } from "#core/request.ts"
import type { ModelPlan } from "#gateway/models/plan-model.ts"

import { type Amounts, noAmounts } from "./amounts.ts"
import { checkLimits, takeRates } from "./check-limits.ts"
import { limitError, priceMissing } from "./key-errors.ts"
import type { KeyLimits } from "./key-policy.ts"
import type { KeyEntry } from "./key-ring.ts"
import type { PriceOf } from "./prices.ts"
import { weighRequest } from "./weigh-request.ts"

/** What is admitted. */
export type KeyedTurn = {
  readonly call: Pick<ClientCall, "json">
  readonly request: ModelRequest
  readonly plan: Pick<ModelPlan, "slug">
}

/** What is held: the amounts, the limits they were held under, and the estimate, made at the latest when it is needed. */
export type Held = { readonly amounts: Amounts; readonly limits: KeyLimits; readonly weigh: () => Amounts }

/** Checks every limit and takes what the rates ask. Throws `key-limit` or `forbidden`; nothing has been taken then. */
export function hold(
  { key, meter }: KeyEntry,
  { call, request, plan }: KeyedTurn,
  parts: { readonly clock: Clock; readonly priceOf: PriceOf },
): Held {
  const { limits = {} } = key.policy
  const price = parts.priceOf(plan.slug)
  if (key.weighsCost && price === undefined) throw priceMissing(plan.slug)
  const weigh = () =>
    weighRequest({ request, json: call.json, expectedOutputTokens: meter.expectedOutputTokens(), price })
  // Weighing walks the whole body: it is done for those whose limits need it.
  const wanted = key.weighsTokens ? weigh() : { ...noAmounts(), requests: 1 }
  const question = { limits, meter, wanted, nowMs: parts.clock() }
  const hit = checkLimits(question)
  if (hit !== undefined) throw limitError(hit)
  takeRates(question)
  return { amounts: wanted, limits, weigh: key.weighsTokens ? () => wanted : weigh }
}
