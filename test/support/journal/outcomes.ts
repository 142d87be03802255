/** Outcomes by number, for tests of the request log. */

import { GatewayError } from "#core/errors.ts"
import type { AccountId, RequestId } from "#core/ids.ts"
import type { FailedAttempt, Outcome } from "#core/outcome.ts"

/** Makes the outcome of the request with this number; every seventh one failed. `changes` replace members. */
export function outcomeOf(number: number, endedAtMs: number, changes: Partial<Outcome> = {}): Outcome {
  const time = endedAtMs.toString(16).padStart(12, "0")
  const isFailed = number % 7 === 0
  const account = `acc_${(number % 3).toString().padStart(16, "0")}` as AccountId
  const error = new GatewayError("upstream-unavailable", "The upstream did not answer.")
  return {
    // Only tests invent ids; the brand keeps plain text out of production code.
    id: `req_${time}${number.toString(16).padStart(12, "0")}` as RequestId,
    protocol: "openai-chat",
    lane: "collect",
    model: "gpt-5.5-high",
    upstreamModel: number % 2 === 0 ? "gpt-5.5" : "gpt-5.4",
    account,
    keyId: `key${number % 2}`,
    status: isFailed ? 502 : 200,
    ...(isFailed && { error, failedAttempts: [failedAttempt(account, endedAtMs, error)] }),
    attempts: 1 + (number % 2),
    startedAtMs: endedAtMs - 100,
    firstByteMs: 40,
    totalMs: 100,
    usage: { inputTokens: number, inputCachedTokens: 2, outputTokens: 3, reasoningTokens: 1 },
    ...changes,
  }
}

function failedAttempt(account: AccountId, endedAtMs: number, error: GatewayError): FailedAttempt {
  return { account, startedAtMs: endedAtMs - 90, totalMs: 90, error, effect: "none", next: "stop" }
}
