/** What the legacy form keeps of an answer: one text, why it ended, and what it cost. */

import type { GatewayError } from "#core/errors.ts"
import type { StreamEvent } from "#core/events.ts"
import type { JsonText } from "#core/json.ts"
import { type ChatFinish, type ChatHead, makeChatSteps } from "#protocols/openai-chat/chat-steps.ts"
import type { ReplyContext } from "#protocols/protocol.ts"

/** What an answer is written to; literals are spliced. */
export type CompletionSink = {
  readonly start: (head: ChatHead) => void
  readonly text: (literal: JsonText) => void
  readonly finish: (finish: ChatFinish) => void
  readonly error: (error: GatewayError) => void
}

/**
 * Returns the function that takes the events of one answer. A refusal is text here; reasoning, calls, sources and
 * images have no place in the form.
 */
export function makeCompletionSteps(context: ReplyContext, sink: CompletionSink): (event: StreamEvent) => void {
  return makeChatSteps(context, {
    start: head => sink.start({ ...head, id: head.id.replace(/^chatcmpl-/, "cmpl-") }),
    open: () => {},
    text: (field, literal) => {
      // An empty chunk reads as the end to some clients.
      if (field !== "reasoning_content" && literal !== '""') sink.text(literal)
    },
    call: () => {},
    callInput: () => {},
    citation: () => {},
    image: () => {},
    finish: sink.finish,
    error: sink.error,
  })
}
