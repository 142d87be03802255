/** What an answer has cost whose usage nobody stated: it would have stood in an event that never came. */

import type { RequestEnd } from "#gateway/turn/settle.ts"
import type { CommittedTurn } from "#gateway/turn/turn-types.ts"
import type { StreamPipe } from "#protocols/protocol.ts"

/** A delta carries about a token, and stands in an event of about this size. */
const BYTES_PER_TOKEN = 200

/** Returns the stated usage, else a guess that says so: the request's size, and what had come of the answer. */
export function usageOf(
  stated: ReturnType<StreamPipe["state"]>["usage"],
  turn: CommittedTurn | undefined,
  heardBytes: number,
): Pick<RequestEnd, "usage" | "isUsageEstimated"> {
  if (stated !== undefined) return { usage: stated }
  // Nothing was committed to, so nothing is known to have been worked on.
  if (turn === undefined) return {}
  const usage = {
    inputTokens: turn.context.estimateInputTokens(),
    inputCachedTokens: 0,
    outputTokens: Math.ceil(heardBytes / BYTES_PER_TOKEN),
    reasoningTokens: 0,
  }
  return { usage, isUsageEstimated: true }
}
