/** Token counts in the dialect's form: thoughts stand beside the candidates' tokens, not among them. */

import type { Usage } from "#core/events.ts"

/** The `usageMetadata` member as JSON text. */
export function usageText(usage: Usage): string {
  const { inputTokens, inputCachedTokens, outputTokens } = usage
  const thoughts = Math.min(usage.reasoningTokens, outputTokens)
  return JSON.stringify({
    promptTokenCount: inputTokens,
    ...(inputCachedTokens > 0 && { cachedContentTokenCount: Math.min(inputCachedTokens, inputTokens) }),
    candidatesTokenCount: outputTokens - thoughts,
    ...(thoughts > 0 && { thoughtsTokenCount: thoughts }),
    totalTokenCount: inputTokens + outputTokens,
  })
}
