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

/** The counts, with the comma after them. */
export function usageMember({ usage }: GeminiEnd): string {
  return usage === undefined ? "" : `"usageMetadata":${usageText(usage)},`
}
