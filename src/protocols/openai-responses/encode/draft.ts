/** A request on its way to a Responses body: items and tools in Responses form, not yet checked or repaired. */

import type { Json, JsonObject } from "#core/json.ts"

/** What both roads, neutral and native, hand to the shared passes. Passes never change it. */
export type ResponsesDraft = {
  readonly input: readonly JsonObject[]
  readonly instructions: string | undefined
  /** Flat or nested shapes; see `encode-tools.ts`. */
  readonly tools: readonly JsonObject[]
  readonly toolChoice: Json | undefined
  readonly parallelToolCalls: boolean | undefined
  /** Flat Responses form. */
  readonly format: JsonObject | undefined
  /** The client's other members of `text`. */
  readonly text: JsonObject
  /** The client's own `reasoning` object, `{}` when there is none. */
  readonly reasoning: JsonObject
  readonly include: readonly string[]
  readonly streamOptions: JsonObject | undefined
  readonly clientMetadata: JsonObject | undefined
  /** Members of the client's body that no pass looks at; sent only where the upstream's rules allow them. */
  readonly others: JsonObject
}
