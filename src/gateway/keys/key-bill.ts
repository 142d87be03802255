/** What a request that has ended counts for. */

import type { Outcome } from "#core/outcome.ts"

import { type Amounts, noAmounts } from "./amounts.ts"
import type { UsedAmounts } from "./key-meter.ts"
import { costOf, type PriceOf } from "./prices.ts"

/** What matters of a request that has ended. */
export type EndedRequest = Pick<Outcome, "usage" | "attempts" | "status" | "firstByteMs" | "upstreamModel">

/** What a request of a key came to, for a process that has taken over the meters. */
export type KeyBill = {
  readonly keyId: string
  readonly held: Readonly<Amounts>
  readonly used: UsedAmounts
  /** It was held before the meters were taken over. */
  readonly isCarried: boolean
}

/** What counts; when the upstream has not said what it used, that hangs on how far the request came. `weigh` is the estimate. */
export function usedBy(outcome: EndedRequest, weigh: () => Amounts, priceOf: PriceOf): UsedAmounts {
  const { usage, attempts, status, firstByteMs, upstreamModel } = outcome
  if (usage !== undefined) {
    const price = upstreamModel === undefined ? undefined : priceOf(upstreamModel)
    const { inputTokens, outputTokens } = usage
    return { requests: 1, inputTokens, outputTokens, costMicroUsd: costOf(price, usage), isEstimate: false }
  }
  // Nothing has gone upstream: nothing is charged, not even a request.
  if (attempts === 0) return { ...noAmounts(), isEstimate: false }
  if (firstByteMs !== undefined) return { ...weigh(), isEstimate: true }
  // Whoever goes away before the answer has still had the input read.
  if (status === CLIENT_GONE) return { ...withoutOutput(weigh(), upstreamModel, priceOf), isEstimate: true }
  // What failed before any output is the operator's loss.
  return { ...noAmounts(), requests: 1, isEstimate: false }
}

const CLIENT_GONE = 499

function withoutOutput(amounts: Amounts, slug: string | undefined, priceOf: PriceOf): Amounts {
  const { inputTokens } = amounts
  const price = slug === undefined ? undefined : priceOf(slug)
  const costMicroUsd = costOf(price, { inputTokens, inputCachedTokens: 0, outputTokens: 0 })
  return { requests: 1, inputTokens, outputTokens: 0, costMicroUsd }
}
