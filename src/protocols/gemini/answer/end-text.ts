/** What closes an answer, the same in the stream and in the folded answer. */

import type { GeminiEnd } from "./sink.ts"
import { usageText } from "./usage.ts"

/** The candidate's members after its content, up to the brace that closes it. */
export function endOfCandidate({ reason, message, grounding }: GeminiEnd): string {
  return (
    `,"finishReason":"${reason}"` +
    (message === undefined ? "" : `,"finishMessage":${JSON.stringify(message)}`) +
    (grounding === undefined ? "" : `,"groundingMetadata":${grounding}`)
  )
}

/**
 * The counts, and whether the prompt was blocked, with the comma after them. A candidate stands beside that word, which the
 * vendor leaves out: chats throw a turn without one away.
 */
export function lastMembers({ usage, isBlocked }: GeminiEnd): string {
  const feedback = isBlocked ? '"promptFeedback":{"blockReason":"SAFETY"},' : ""
  return feedback + (usage === undefined ? "" : `"usageMetadata":${usageText(usage)},`)
}
