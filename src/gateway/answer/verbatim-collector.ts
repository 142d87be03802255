/** Collects a unary JSON answer as it is. */

import { GatewayError } from "#core/errors.ts"
import { arrayAt, isJsonObject } from "#core/json.ts"
import { noteOpaqueItems } from "#protocols/openai-responses/opaque-items.ts"
import type { AnswerParts, Collector } from "#protocols/protocol.ts"

/** Makes a collector whose result is the upstream's own text, checked to be JSON. */
export function makeVerbatimCollector({ noteOpaque }: Pick<AnswerParts, "noteOpaque"> = {}): Collector {
  const decoder = new TextDecoder()
  let text = ""
  return {
    feed: chunk => {
      text += decoder.decode(chunk, { stream: true })
    },
    finish: () => {
      text += decoder.decode()
      try {
        const answer: unknown = JSON.parse(text)
        noteOpaqueItems(isJsonObject(answer) ? (arrayAt(answer, "output") ?? []) : [], noteOpaque)
      } catch (cause) {
        throw new GatewayError("upstream-protocol", "The upstream answered something that is not JSON.", { cause })
      }
      return text
    },
    // Only the end of the body ends a unary answer.
    state: () => ({ finished: false }),
  }
}
