/** Counts the tokens a call would cost, without an account and without asking any upstream. */

import type { ClientCall, ModelRequest } from "#core/request.ts"
import type { ModelPlan } from "#gateway/models/plan-model.ts"
import type { TokenCounter } from "#gateway/tokens/token-counter.ts"
import { estimateInputTokens } from "#protocols/estimate-tokens.ts"
import type { UpstreamProtocol } from "#protocols/protocol.ts"
import { clientProtocols } from "#protocols/registry.ts"

/** What counting needs. */
export type CountTokensParts = {
  readonly planModel: (request: ModelRequest) => ModelPlan
  readonly upstream: UpstreamProtocol
  readonly tokens: Pick<TokenCounter, "count">
}

/** Returns the count of the body that would go upstream. Rejects with `invalid-request` or `model-not-found`. */
export async function countCallTokens(call: ClientCall, parts: CountTokensParts): Promise<number> {
  const request = clientProtocols[call.protocol].decodeRequest(call)
  const plan = parts.planModel(request)
  const { body } = parts.upstream.encodeRequest(request, {
    model: plan.slug,
    ...(plan.info !== undefined && { modelInfo: plan.info }),
    rules: { codexBackend: true },
    stripEncrypted: false,
  })
  const { texts, fixedTokens } = parts.upstream.measureRequest(body)
  try {
    const counts = await parts.tokens.count(texts)
    return counts.reduce((sum, count) => sum + count, fixedTokens)
  } catch {
    // A client that asks how full its window is can use an estimate; it can do nothing with a failure.
    return estimateInputTokens(request)
  }
}
