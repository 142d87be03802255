/** What is held for a request while it runs, if it fits the limits of its key. */

import type { Clock } from "#core/clock.ts"
import type { ClientCall, ModelRequest } from "#core/request.ts"
import type { ModelPlan } from "#gateway/models/plan-model.ts"

import { type Amounts, amountOf, noAmounts } from "./amounts.ts"
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
  const guess = call.bodyBytes === undefined ? undefined : weighBody(call.bodyBytes, weighed)
  const question = asking(pickAmounts(key, guess, { weigh, asking }))
  const hit = checkLimits(question)
  if (hit !== undefined) throw limitError(hit)
  takeRates(question)
  return { amounts: question.wanted, limits, weigh }
}

/** A guess is good enough where a limit has room for so many times of it. */
const FAR_TIMES = 10

type Scales = { readonly weigh: () => Amounts; readonly asking: (wanted: Amounts) => LimitQuestion }

/** Weighing walks the whole body; its size says enough as long as no limit is near, even if the body is mostly pictures. */
function pickAmounts({ weighsTokens }: ClientKey, guess: Amounts | undefined, { weigh, asking }: Scales): Amounts {
  if (!weighsTokens) return { ...noAmounts(), requests: 1 }
  if (guess === undefined) return weigh()
  const far: Amounts = {
    requests: 1,
    inputTokens: guess.inputTokens * FAR_TIMES,
    outputTokens: guess.outputTokens * FAR_TIMES,
    costMicroUsd: guess.costMicroUsd * FAR_TIMES,
  }
  const question = asking(far)
  const { tpm = Number.POSITIVE_INFINITY } = question.limits
  return amountOf(far, "tokens") <= tpm && checkLimits(question) === undefined ? guess : weigh()
}
