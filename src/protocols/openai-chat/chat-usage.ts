/** Usage in the words of Chat Completions. */

import type { Usage } from "#core/events.ts"

/** Returns the usage object as JSON text. Both totals are inclusive here too. */
export function chatUsageText(usage: Usage): string {
  const written = usage.inputCacheWriteTokens
  return JSON.stringify({
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: {
      cached_tokens: usage.inputCachedTokens,
      ...(written !== undefined && { cache_write_tokens: written }),
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  })
}
