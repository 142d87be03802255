/** What a client hears when nobody who is there can read the compacted part of its conversation. */

import { GatewayError } from "#core/errors.ts"
import type { Standing } from "#scheduler/types.ts"

const CODE = "compaction_account_unavailable"
const HINT =
  "Compactions are encrypted for the account that made them; the conversation goes on once it can serve again."

/**
 * The error for a compaction whose maker is known and cannot be had. Sending the request without it would silently lose
 * the history it stands for.
 */
export function compactionUnreadable(standing: Standing, nowMs: number): GatewayError {
  const text = "This conversation's compacted history can only be read by the account that compacted it, which"
  const options = { code: CODE, hint: HINT }
  switch (standing.type) {
    case "away":
      return new GatewayError(
        "invalid-request",
        `${text} is not in use any more. Start a new conversation, or one from before the compaction.`,
        { ...options, param: "input" },
      )
    case "resting":
      return new GatewayError("no-account", `${text} is resting.`, {
        ...options,
        retryAfterMs: Math.max(1_000, standing.untilMs - nowMs),
      })
    case "ready":
    case "unready":
      return new GatewayError("no-account", `${text} is busy.`, { ...options, retryAfterMs: 2_000 })
  }
}

/** The error for a compaction that the upstream has refused. */
export function compactionRefused(cause: GatewayError): GatewayError {
  return new GatewayError(
    "invalid-request",
    "This conversation's compacted history was made by an account that is not known here, and no other can read it. " +
      "Start a new conversation, or one from before the compaction.",
    {
      code: "invalid_encrypted_content",
      param: "input",
      hint: HINT,
      cause,
      ...(cause.upstream && { upstream: cause.upstream }),
    },
  )
}
