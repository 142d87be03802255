/** The order in which an answer's events are written. */

import type { EmitEvent } from "#core/events.ts"
import { makeInSequence } from "#protocols/in-sequence.ts"
import type { ReplyContext } from "#protocols/protocol.ts"

import { holdForSources } from "./search-first.ts"

/** Returns the function that takes events as they come; `next` gets one block after the other. */
export function makeEventOrder({ reply }: ReplyContext, next: EmitEvent): EmitEvent {
  const sequence = makeInSequence(next)
  return reply.searchFirst ? holdForSources(sequence) : sequence
}
