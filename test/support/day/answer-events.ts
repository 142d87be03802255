/** The events of an answer as the Codex backend writes them: short, since only their kind and their numbers matter here. */

import type { JsonObject } from "#core/json.ts"
import type { Ids } from "#simulator/ids.ts"

import type { Asked } from "./asked.ts"

/** What an answer is written from. */
export type AnswerFacts = {
  readonly asked: Asked
  readonly ids: Ids
  readonly nowSec: number
  /** Encrypted reasoning, sealed for the account. */
  readonly sealed: () => string
  readonly cachedTokens: number
}

/** The chunks of one answer by what they hold. */
export type AnswerEvents = {
  readonly opening: () => readonly JsonObject[]
  readonly firstOutput: () => readonly JsonObject[]
  /** A sign of life while the answer is written. */
  readonly more: () => readonly JsonObject[]
  readonly rest: () => readonly JsonObject[]
  /** In place of the output. */
  readonly failure: (code: string, message: string) => readonly JsonObject[]
}

/** Writes the events. */
export function answerEvents(facts: AnswerFacts): AnswerEvents {
  const { asked, ids, nowSec } = facts
  const responseId = ids.item("resp")
  const reasoningId = ids.item("rs")
  const messageId = ids.item("msg")
  let sequence = 0
  const event = (type: string, fields: JsonObject): JsonObject => ({ type, sequence_number: sequence++, ...fields })
  const response = (status: string, more: JsonObject): JsonObject => ({
    response: {
      id: responseId,
      object: "response",
      created_at: nowSec,
      status,
      model: asked.model,
      output: [],
      ...more,
    },
  })
  return {
    opening: () => [
      event("response.created", response("in_progress", {})),
      event("response.in_progress", response("in_progress", {})),
    ],
    firstOutput: () => [
      event("response.output_item.added", {
        output_index: 0,
        item: { id: reasoningId, type: "reasoning", summary: [], encrypted_content: "" },
      }),
    ],
    more: () => [
      event("response.reasoning_summary_text.delta", {
        item_id: reasoningId,
        output_index: 0,
        summary_index: 0,
        delta: ".",
      }),
    ],
    rest: () => {
      const reasoning = { id: reasoningId, type: "reasoning", summary: [], encrypted_content: facts.sealed() }
      const text = `answer to ${asked.number}`
      const content = [{ type: "output_text", text, annotations: [], logprobs: [] }]
      const message = { id: messageId, type: "message", role: "assistant", status: "completed", content }
      const place = { item_id: messageId, output_index: 1, content_index: 0 }
      return [
        event("response.output_item.done", { output_index: 0, item: reasoning }),
        event("response.output_text.delta", { ...place, delta: text, logprobs: [] }),
        event("response.output_item.done", { output_index: 1, item: message }),
        event("response.completed", response("completed", { usage: usageOf(facts) })),
      ]
    },
    failure: (code, message) => [event("response.failed", response("failed", { error: { code, message } }))],
  }
}

function usageOf({ asked: { work }, cachedTokens }: AnswerFacts): JsonObject {
  return {
    input_tokens: work.inputTokens,
    input_tokens_details: { cached_tokens: cachedTokens },
    output_tokens: work.outputTokens,
    output_tokens_details: { reasoning_tokens: Math.floor(work.outputTokens / 2) },
    total_tokens: work.inputTokens + work.outputTokens,
  }
}
