/** Outcomes for the tests of this folder. */

import type { AccountId, RequestId } from "#core/ids.ts"
import type { Outcome } from "#core/outcome.ts"

/** Test ids have the shape that the brands promise. */
export const ACCOUNT = "acc_00000000000000aa" as AccountId
export const OTHER_ACCOUNT = "acc_00000000000000bb" as AccountId
const REQUEST = "req_0123456789" as RequestId

export function makeOutcome(changes: Partial<Outcome> = {}): Outcome {
  return {
    id: REQUEST,
    protocol: "openai-chat",
    lane: "transcode",
    model: "gpt-5.1-high",
    upstreamModel: "gpt-5.1",
    account: ACCOUNT,
    keyId: "key-1",
    status: 200,
    attempts: 1,
    startedAtMs: 1000,
    firstByteMs: 40,
    totalMs: 500,
    usage: { inputTokens: 10, inputCachedTokens: 4, outputTokens: 6, reasoningTokens: 2 },
    ...changes,
  }
}
