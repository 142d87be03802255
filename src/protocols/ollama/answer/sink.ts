/** What the steps of an answer are written to. */

import type { GatewayError } from "#core/errors.ts"
import type { JsonText } from "#core/json.ts"

/** Why an answer ended, in the dialect's words. */
export type OllamaDoneReason = "stop" | "length" | "load" | "unload"

/** The end of an answer; `metrics` are the members about times and tokens as JSON text, each with a comma before it. */
export type OllamaEnd = { readonly reason: OllamaDoneReason; readonly metrics: string }

/** Takes one answer in order; literals are spliced. */
export type OllamaSink = {
  readonly thinking: (literal: JsonText) => void
  readonly text: (literal: JsonText) => void
  /** Every call of the answer as a JSON object, together. */
  readonly calls: (calls: readonly string[]) => void
  readonly finish: (end: OllamaEnd) => void
  readonly error: (error: GatewayError) => void
}
