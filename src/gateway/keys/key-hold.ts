/** What is held for a request while it runs, if it fits the limits of its key. */

import type { Clock } from "#core/clock.ts"
import type { ClientCall, ModelRequest } from "#core/request.ts"
import type { ModelPlan } from "#gateway/models/plan-model.ts"

import { type Amounts, noAmounts } from "./amounts.ts"
import { checkLimits, type LimitQuestion, takeRates } from "./check-limits.ts"
import type { ClientKey } from "./client-key.ts"
import { limitError, priceMissing } from "./key-errors.ts"
import type { KeyLimits } from "./key-policy.ts"
import type { KeyEntry } from "./key-ring.ts"
import type { PriceOf } from "./prices.ts"
import { weighBody, weighRequest } from "./weigh-request.ts"

/** What is admitted. */
export type KeyedTurn = {
  readonly call: Pick<ClientCall, "json" | "bodyBytes">
  readonly request: ModelRequest
  readonly plan: Pick<ModelPlan, "slug">
}

/** What is held: the amounts, the limits they were held under, and the estimate, made at the latest when it is needed. */
export type Held = { readonly amounts: Readonly<Amounts>; readonly limits: KeyLimits; readonly weigh: () => Amounts }

/** Checks every limit and takes what the rates ask. Throws `key-limit` or `forbidden`; nothing has been taken then. */
export function hold(
  { key, meter }: KeyEntry,
  { call, request, plan }: KeyedTurn,
  parts: { readonly clock: Clock; readonly priceOf: PriceOf },
): Held {
  const { limits = {} } = key.policy
  const price = parts.priceOf(plan.slug)
  if (key.weighsCost && price === undefined) throw priceMissing(plan.slug)
  const weighed = { json: call.json, expectedOutputTokens: meter.expectedOutputTokens(), price }
  const weigh = () => weighRequest({ request, ...weighed })
  const nowMs = parts.clock()
  const asking = (wanted: Amounts): LimitQuestion => ({ limits, meter, wanted, nowMs })
  let question = asking(firstGuess(key, call.bodyBytes, { weigh, weighed }))
  let hit = checkLimits(question)
  if (hit !== undefined && key.weighsTokens && call.bodyBytes !== undefined) {
    // Close to a limit it is worth the walk: the body may be pictures.
    question = asking(weigh())
    hit = checkLimits(question)
  }
  if (hit !== undefined) throw limitError(hit)
  takeRates(question)
  return { amounts: question.wanted, limits, weigh }
}

type Scales = { readonly weigh: () => Amounts; readonly weighed: Parameters<typeof weighBody>[1] }

/** Weighing walks the whole body; its size says enough as long as no limit is near. */
function firstGuess(key: ClientKey, bodyBytes: number | undefined, { weigh, weighed }: Scales): Amounts {
  if (!key.weighsTokens) return { ...noAmounts(), requests: 1 }
  return bodyBytes === undefined ? weigh() : weighBody(bodyBytes, weighed)
}
