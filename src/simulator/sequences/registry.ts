/** Every stream generator by name, with one sentence for the list of scenarios. */

import type { Answer } from "#simulator/answers/answer.ts"

import { streamCompaction } from "./compaction.ts"
import { streamConversation } from "./conversation.ts"
import { streamContextOverflow, streamFailure, streamLateFailure } from "./failure.ts"
import { streamImage } from "./image.ts"
import { streamReasoning, streamReasoningOnly } from "./reasoning.ts"
import { streamRefusal } from "./refusal-message.ts"
import { streamEmpty, streamEmptyMessage, streamIncomplete, streamLarge, streamPhases, streamText } from "./text.ts"
import * as calls from "./tool-calls.ts"
import { streamWebSearch } from "./web-search.ts"

/** A generator writes all events of one answer. */
export type Sequence = {
  readonly sentence: string
  readonly write: (answer: Answer) => void
  /** Follow-up turns with tool outputs go on as a conversation, or the client would be asked to call for ever. */
  readonly asksForTools?: true
}

const CONVERSATION: Sequence = {
  sentence: "The unscripted behaviour: calls a tool when asked to, else quotes.",
  write: streamConversation,
}

/** The generators. */
export const SEQUENCES: Readonly<Record<string, Sequence>> = {
  conversation: CONVERSATION,
  text: { sentence: "One message; `text` or `words` say what is in it.", write: streamText },
  phases: { sentence: "Commentary and final answer as two messages.", write: streamPhases },
  reasoning: { sentence: "A reasoning item with `summaries` parts, then a message.", write: streamReasoning },
  "reasoning-only": { sentence: "A reasoning item and no message.", write: streamReasoningOnly },
  call: {
    sentence: "One function call; `tool` and `arguments` choose it.",
    write: calls.streamCall,
    asksForTools: true,
  },
  "commentary-call": {
    sentence: "A commentary message, then one function call.",
    write: calls.streamCommentaryCall,
    asksForTools: true,
  },
  "parallel-calls": {
    sentence: "`calls` function calls in one answer.",
    write: calls.streamParallelCalls,
    asksForTools: true,
  },
  "custom-call": { sentence: "A call of a free text tool.", write: calls.streamCustomCall, asksForTools: true },
  "namespace-call": {
    sentence: "A call that carries a namespace and the short name.",
    write: calls.streamNamespaceCall,
    asksForTools: true,
  },
  "tool-search": {
    sentence: "A tool search the client runs; its call id changes on the way.",
    write: calls.streamToolSearch,
    asksForTools: true,
  },
  "local-shell": { sentence: "A shell call of the older kind.", write: calls.streamLocalShell, asksForTools: true },
  "web-search": { sentence: "A hosted web search and a message with a citation.", write: streamWebSearch },
  image: { sentence: "A generated image with `partials` partial images.", write: streamImage },
  refusal: { sentence: "The model declines inside a completed answer.", write: streamRefusal },
  incomplete: { sentence: "Text cut short by `reason` (max_output_tokens, content_filter).", write: streamIncomplete },
  empty: { sentence: "Completed without any output item.", write: streamEmpty },
  "empty-message": { sentence: "A message item without text.", write: streamEmptyMessage },
  large: { sentence: "One delta of `bytes` bytes.", write: streamLarge },
  compaction: { sentence: "One compaction item.", write: streamCompaction },
  failure: {
    sentence: "A failure inside a 200; `code`, `message`, `error-form` (pair, flat, failed).",
    write: streamFailure,
  },
  "late-failure": { sentence: "A whole message, then a failure.", write: streamLateFailure },
  "context-overflow": {
    sentence: "The input does not fit the model, said inside a 200.",
    write: streamContextOverflow,
  },
}

/** What decides between a named generator and the ones that override it. */
export type SequenceWish = {
  readonly name: string
  readonly hasToolOutputs: boolean
  /** The input is beyond the model's window. */
  readonly isOverlong: boolean
}

/** Picks the generator of one answer. An unknown name, refused long before, counts as a conversation. */
export function pickSequence(wish: SequenceWish): Sequence["write"] {
  if (wish.isOverlong) return streamContextOverflow
  const named = SEQUENCES[wish.name] ?? CONVERSATION
  return named.asksForTools === true && wish.hasToolOutputs ? CONVERSATION.write : named.write
}
