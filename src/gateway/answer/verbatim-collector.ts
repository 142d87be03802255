/** Collects a unary JSON answer as it is. */

import { GatewayError } from "#core/errors.ts"
import type { Collector } from "#protocols/protocol.ts"

/** Makes a collector whose result is the upstream's own text, checked to be JSON. */
export function makeVerbatimCollector(): Collector {
  const decoder = new TextDecoder()
  let text = ""
  return {
    feed: chunk => {
      text += decoder.decode(chunk, { stream: true })
    },
    finish: () => {
      text += decoder.decode()
      try {
        JSON.parse(text)
      } catch (cause) {
        throw new GatewayError("upstream-protocol", "The upstream answered something that is not JSON.", { cause })
      }
      return text
    },
    // Only the end of the body ends a unary answer.
    state: () => ({ finished: false }),
  }
}
