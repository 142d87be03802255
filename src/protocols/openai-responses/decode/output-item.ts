/** What the decoder's items have in common. */

import type { EmitEvent } from "#core/events.ts"
import type { JsonObject, JsonText } from "#core/json.ts"

import type { DeltaChannel } from "./hot-events.ts"

/** What an item needs from its stream. */
export type ItemScope = {
  readonly emit: EmitEvent
  /** Numbers a block at the moment it starts. */
  readonly nextBlock: () => number
  /** True when the client declared a tool of this name; undefined when that is not known. */
  readonly declaresTool: (name: string) => boolean | undefined
  /** See `AnswerParts`. */
  readonly noteOpaque: ((text: string) => void) | undefined
}

/** A final item and, on demand, its JSON text as it stood on the wire. */
export type FinalItem = { readonly json: JsonObject; readonly text: () => string }

/** One output item under way. */
export type OutputItem = {
  readonly type: string
  readonly delta: (channel: DeltaChannel, part: number, literal: JsonText) => void
  /** A part's whole text, from any of the `done` events. */
  readonly partDone: (channel: DeltaChannel, part: number, full: string) => void
  /** The item's final form: sends what is missing and closes the block. */
  readonly done: (final: FinalItem) => void
  /** The answer ended without a final form. `whole` = the answer is complete all the same. */
  readonly close: (whole: boolean) => void
  readonly isClosed: () => boolean
}
