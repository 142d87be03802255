/** The token counter with its thread. */

import { systemTimers } from "#core/clock.ts"
import { openTokenWorker } from "#gateway/tokens/open-token-worker.ts"
import { makeTokenCounter, type TokenCounter } from "#gateway/tokens/token-counter.ts"

/** Builds the counter; nothing is loaded before the first count. */
export function buildTokens(): TokenCounter {
  return makeTokenCounter({ timers: systemTimers, openWorker: openTokenWorker })
}
