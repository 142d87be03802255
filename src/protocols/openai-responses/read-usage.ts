/** Reads the usage object of a terminal event. */

import type { Usage } from "#core/events.ts"
import { type JsonObject, numberAt, objectAt } from "#core/json.ts"

/**
 * Both sides are inclusive totals on this wire too: `input_tokens` holds cached and cache-write tokens, `output_tokens`
 * holds reasoning. Details may be null or absent and then count as 0. Undefined when there is no usage.
 */
export function readUsage(response: JsonObject): Usage | undefined {
  const usage = objectAt(response, "usage")
  if (usage === undefined) return undefined
  const inputTokens = numberAt(usage, "input_tokens")
  const outputTokens = numberAt(usage, "output_tokens")
  if (inputTokens === undefined || outputTokens === undefined) return undefined
  const inputDetails = objectAt(usage, "input_tokens_details") ?? {}
  const outputDetails = objectAt(usage, "output_tokens_details") ?? {}
  const written = numberAt(inputDetails, "cache_write_tokens")
  return {
    inputTokens,
    inputCachedTokens: Math.min(numberAt(inputDetails, "cached_tokens") ?? 0, inputTokens),
    ...(written !== undefined && { inputCacheWriteTokens: Math.min(written, inputTokens) }),
    outputTokens,
    reasoningTokens: Math.min(numberAt(outputDetails, "reasoning_tokens") ?? 0, outputTokens),
  }
}
