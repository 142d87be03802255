/** Builds the event list of one answer: numbering, item bookkeeping, terminal events. */

import type { Json, JsonObject } from "#core/json.ts"
import type { Settings } from "#simulator/scripts/settings.ts"
import { seal } from "#simulator/seal.ts"

import type { AnswerContext } from "./answer-context.ts"
import { type ResponseFacts, responseObject } from "./response-object.ts"
import { countTokens, usageObject } from "./usage.ts"

/** The failure of a stream, as both of its events state it. */
export type StreamFailure = { readonly code: string; readonly message: string; readonly type: string }

/** Collects events. Exactly one of `complete`, `stopEarly`, `fail` ends it. */
export type Answer = {
  readonly context: AnswerContext
  /** Opens the stream: `response.created` and `response.in_progress`. */
  readonly start: () => void
  /** Adds an event; its `type` comes first and its sequence number second. */
  readonly emit: (type: string, fields: JsonObject) => void
  /** Announces an item and returns its output index. */
  readonly addItem: (item: JsonObject) => number
  /** States an item in its final form. Only this form is worth replaying. */
  readonly finishItem: (index: number, item: JsonObject) => void
  /** Encrypted content bound to the account. */
  readonly seal: () => string
  /** Counts of a tool with a model of its own, named as in `tool_usage`. */
  readonly countTool: (tool: string, usage: JsonObject) => void
  readonly complete: () => void
  /** Ends with `response.incomplete`. */
  readonly stopEarly: (reason: string) => void
  /** Ends with `error` and `response.failed`, or with one of the two. */
  readonly fail: (failure: StreamFailure, form: Settings["errorForm"]) => void
  readonly events: () => readonly JsonObject[]
}

/** Starts an empty answer. */
export function makeAnswer(context: AnswerContext): Answer {
  const events: JsonObject[] = []
  const output: JsonObject[] = []
  const toolUsage: Record<string, JsonObject> = {}
  let itemCount = 0
  let outputTokens = 0
  let reasoningTokens = 0
  const responseId = context.ids.item("resp")
  const emit = (type: string, fields: JsonObject) => {
    events.push({ type, sequence_number: events.length, ...fields })
  }
  const usage = () => usageObject(context.input, { outputTokens, reasoningTokens }, context.settings.usageDetails)
  const response = (facts: Omit<ResponseFacts, "id">): JsonObject =>
    responseObject(context, { id: responseId, ...facts })
  const finish = (status: "completed" | "incomplete", details: Json) =>
    emit(`response.${status}`, {
      response: {
        ...response({
          status,
          output: context.settings.fullOutput ? output : [],
          usage: usage(),
          incompleteDetails: details,
        }),
        ...(Object.keys(toolUsage).length > 0 && { tool_usage: toolUsage }),
      },
    })
  return {
    context,
    start: () => {
      emit("response.created", { response: response({ status: "in_progress" }) })
      emit("response.in_progress", { response: response({ status: "in_progress" }) })
    },
    emit,
    addItem: item => {
      const index = itemCount
      itemCount += 1
      emit("response.output_item.added", { output_index: index, item })
      return index
    },
    finishItem: (index, item) => {
      output.push(item)
      const tokens = countTokens(item)
      outputTokens += tokens
      if (item["type"] === "reasoning") reasoningTokens += tokens
      emit("response.output_item.done", { output_index: index, item })
    },
    seal: () => seal(context.account, { nowSec: context.nowSec, filler: context.ids.hex(64) }),
    countTool: (tool, counts) => {
      toolUsage[tool] = counts
    },
    complete: () => finish("completed", null),
    stopEarly: reason => finish("incomplete", { reason }),
    fail: (failure, form) => {
      const { code, message, type } = failure
      if (form === "flat") return emit("error", { code, message, param: null })
      if (form === "pair") emit("error", { error: { type, code, message, param: null } })
      emit("response.failed", { response: response({ status: "failed", error: { code, message } }) })
    },
    events: () => events,
  }
}

/** Cuts a text into deltas at word borders. */
export function deltasOf(text: string): readonly string[] {
  return text.split(/(?<=\s)(?=\S)/)
}

/** Cuts argument source into short fragments that never split a character. */
export function fragmentsOf(source: string, length = 12): readonly string[] {
  const characters = [...source]
  const fragments: string[] = []
  for (let index = 0; index < characters.length; index += length) {
    fragments.push(characters.slice(index, index + length).join(""))
  }
  return fragments
}
