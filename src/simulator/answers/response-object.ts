/** The `response` object of lifecycle events: the request echoed, with state, output and usage. */

import type { Json, JsonObject } from "#core/json.ts"

import type { AnswerContext } from "./answer-context.ts"

/** What differs between the lifecycle events of one answer. */
export type ResponseFacts = {
  readonly id: string
  readonly status: "in_progress" | "completed" | "incomplete" | "failed"
  readonly output?: readonly JsonObject[]
  readonly usage?: Json
  readonly error?: JsonObject
  readonly incompleteDetails?: Json
}

/** Writes the object. */
export function responseObject(context: AnswerContext, facts: ResponseFacts): JsonObject {
  const { body } = context
  const isOver = facts.status !== "in_progress"
  return {
    id: facts.id,
    object: "response",
    created_at: context.nowSec,
    ...(facts.status === "completed" ? { completed_at: context.nowSec } : {}),
    status: facts.status,
    background: false,
    error: facts.error ?? null,
    incomplete_details: facts.incompleteDetails ?? null,
    instructions: body["instructions"] ?? null,
    max_output_tokens: null,
    model: context.model,
    output: facts.output ?? [],
    parallel_tool_calls: body["parallel_tool_calls"] ?? true,
    previous_response_id: null,
    prompt_cache_key: body["prompt_cache_key"] ?? null,
    reasoning: body["reasoning"] ?? { effort: null, summary: null },
    service_tier: body["service_tier"] === "priority" && isOver ? "priority" : "default",
    store: false,
    temperature: 1,
    text: body["text"] ?? { format: { type: "text" }, verbosity: "medium" },
    tool_choice: body["tool_choice"] ?? "auto",
    tools: body["tools"] ?? [],
    top_p: 1,
    truncation: "disabled",
    usage: facts.usage ?? null,
    metadata: {},
  }
}
