/** Usage in the words of Messages, where the input is split into three counters that add up to the total. */

import type { Usage } from "#core/events.ts"

/** The counters of a finished message. `searches` counts hosted web searches. */
export type MessagesUsage = {
  readonly usage: Usage
  readonly searches: number
}

/** Returns the usage object as JSON text. `input_tokens` excludes what was read from or written to the cache. */
export function messagesUsageText({ usage, searches }: MessagesUsage): string {
  const total = Math.max(0, Math.trunc(usage.inputTokens))
  const read = clamp(usage.inputCachedTokens, total)
  const written = clamp(usage.inputCacheWriteTokens ?? 0, total - read)
  return JSON.stringify({
    input_tokens: total - read - written,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: read,
    output_tokens: Math.max(0, Math.trunc(usage.outputTokens)),
    output_tokens_details: { thinking_tokens: clamp(usage.reasoningTokens, usage.outputTokens) },
    ...(searches > 0 && { server_tool_use: { web_search_requests: searches, web_fetch_requests: 0 } }),
  })
}

/**
 * Usage at the start, when only an estimate of the input is known. One output token, because some clients add the
 * counters of start and end.
 */
export function openingUsageText(inputTokens: number): string {
  return JSON.stringify({
    input_tokens: inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: 1,
  })
}

function clamp(count: number, most: number): number {
  return Math.min(Math.max(0, Math.trunc(count)), Math.max(0, most))
}
