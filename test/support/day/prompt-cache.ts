/** The upstream's prompt cache: what an account has read of a conversation is read again at no price for a while. */

import type { Clock } from "#core/clock.ts"

import type { Asked } from "./asked.ts"

/** How long an unused prefix stays; vendors say five to ten minutes, up to an hour in quiet times. */
export const CACHE_LIFE_MS = 10 * 60_000

/** Cached tokens are counted in steps of this size. */
const CACHE_STEP_TOKENS = 128

/** Where a prefix lies: the cache is found by account, session and cache key together. */
export type CachePlace = { readonly account: string; readonly session: string; readonly cacheKey: string }

/** The cache. */
export type DayPromptCache = {
  /** Tokens of the request's prefix that are still there. */
  readonly read: (place: CachePlace, asked: Asked) => number
  /** The whole of the request and its answer can be read from now on. */
  readonly write: (place: CachePlace, asked: Asked) => void
}

type Entry = { readonly conversation: number; readonly tokens: number; readonly usedAtMs: number }

/** Rounds down to what a cache counts. */
export function cacheable(tokens: number): number {
  return Math.floor(tokens / CACHE_STEP_TOKENS) * CACHE_STEP_TOKENS
}

/** Makes an empty cache. */
export function makeDayPromptCache(clock: Clock): DayPromptCache {
  const entries = new Map<string, Entry>()
  const keyOf = ({ account, session, cacheKey }: CachePlace) => `${account}/${session}/${cacheKey}`
  return {
    read: (place, { conversation, work }) => {
      const entry = entries.get(keyOf(place))
      // Another conversation under the same key has another beginning: nothing of it can be used.
      if (entry === undefined || entry.conversation !== conversation) return 0
      if (clock() - entry.usedAtMs > CACHE_LIFE_MS) return 0
      return cacheable(Math.min(entry.tokens, work.prefixTokens))
    },
    write: (place, { conversation, work }) => {
      if (conversation === undefined) return
      entries.set(keyOf(place), {
        conversation,
        tokens: work.inputTokens + work.outputTokens,
        usedAtMs: clock(),
      })
    },
  }
}
