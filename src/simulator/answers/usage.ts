/** Token counts from sizes, with a prompt cache that remembers what a cache key has sent before. */

import type { Json, JsonObject } from "#core/json.ts"
import type { Settings } from "#simulator/scripts/settings.ts"

/** Characters that count as one token. */
const CHARACTERS_PER_TOKEN = 4
/** The backend reports cached tokens in steps of this size. */
const CACHE_STEP_TOKENS = 128
const MAX_CACHE_KEYS = 10_000

/** Input of one request; `cachedTokens ≤ totalTokens`. */
export type InputTokens = { readonly totalTokens: number; readonly cachedTokens: number }

/** Output of one answer; `reasoningTokens ≤ outputTokens`. */
export type OutputTokens = { readonly outputTokens: number; readonly reasoningTokens: number }

/** Counts input and remembers it per account and cache key. */
export type PromptCache = { readonly count: (accountName: string, body: JsonObject) => InputTokens }

/** Returns the tokens of a JSON value: its text's length by a fixed rate, at least 1. */
export function countTokens(value: Json): number {
  return Math.max(1, Math.ceil(JSON.stringify(value).length / CHARACTERS_PER_TOKEN))
}

/** Makes an empty cache. The oldest keys are forgotten first. */
export function makePromptCache(): PromptCache {
  const known = new Map<string, number>()
  return {
    count: (accountName, body) => {
      const totalTokens = countInput(body)
      const cacheKey = body["prompt_cache_key"]
      if (typeof cacheKey !== "string") return { totalTokens, cachedTokens: 0 }
      const key = `${accountName}/${cacheKey}`
      const before = Math.min(known.get(key) ?? 0, totalTokens)
      known.delete(key)
      known.set(key, totalTokens)
      const oldest = known.size > MAX_CACHE_KEYS ? known.keys().next().value : undefined
      if (oldest !== undefined) known.delete(oldest)
      return { totalTokens, cachedTokens: Math.floor(before / CACHE_STEP_TOKENS) * CACHE_STEP_TOKENS }
    },
  }
}

/** Counts what the model reads. Files and images inside the text would count by the million, so they count as nothing. */
function countInput(body: JsonObject): number {
  const read = [body["instructions"] ?? "", body["input"] ?? [], body["tools"] ?? []]
  const text = JSON.stringify(read, (_, value) => (typeof value === "string" && value.startsWith("data:") ? "" : value))
  return Math.max(1, Math.ceil(text.length / CHARACTERS_PER_TOKEN))
}

/** Writes the usage object: inclusive totals, details `full`, `null`, or no usage at all (`none`). */
export function usageObject(input: InputTokens, output: OutputTokens, details: Settings["usageDetails"]): Json {
  if (details === "none") return null
  const isFull = details === "full"
  return {
    input_tokens: input.totalTokens,
    input_tokens_details: isFull ? { cached_tokens: input.cachedTokens, cache_write_tokens: 0 } : null,
    output_tokens: output.outputTokens,
    output_tokens_details: isFull ? { reasoning_tokens: output.reasoningTokens } : null,
    total_tokens: input.totalTokens + output.outputTokens,
  }
}
