/** A client's Responses body → draft, with the spellings of other endpoints folded into their Responses form. */

import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"

import type { ResponsesDraft } from "./draft.ts"
import { flattenFormat } from "./text-format.ts"
import { withoutKeys } from "./without-keys.ts"

/** Members the passes rebuild, the gateway consumes, or no upstream may see as they are. */
const CONSUMED_MEMBERS = [
  "model",
  "instructions",
  "input",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "reasoning",
  "reasoning_effort",
  "text",
  "verbosity",
  "response_format",
  "include",
  "store",
  "stream",
  "stream_options",
  "prompt_cache_key",
  "service_tier",
  "serviceTier",
  "client_metadata",
  "previous_response_id",
  "background",
  "type",
  "generate",
  "disable_response_storage",
  "fast_mode",
] as const

/** `json` is what {@link decodeResponsesRequest} returned: `input` is an array, no member is null. */
export function draftOfNative(json: JsonObject): ResponsesDraft {
  const text = objectAt(json, "text") ?? {}
  const format = objectAt(text, "format") ?? objectAt(json, "response_format")
  const parallel = json["parallel_tool_calls"]
  return {
    input: (arrayAt(json, "input") ?? []).filter(isJsonObject),
    instructions: json["instructions"] === undefined ? undefined : flattenText(json["instructions"]),
    tools: (arrayAt(json, "tools") ?? []).filter(isJsonObject),
    toolChoice: json["tool_choice"],
    parallelToolCalls: typeof parallel === "boolean" ? parallel : undefined,
    format: format === undefined ? undefined : flattenFormat(format),
    text: withoutKeys(text, ["format", "verbosity"]),
    reasoning: objectAt(json, "reasoning") ?? {},
    include: (arrayAt(json, "include") ?? []).filter(entry => typeof entry === "string"),
    streamOptions: objectAt(json, "stream_options"),
    clientMetadata: objectAt(json, "client_metadata"),
    others: withoutKeys(json, CONSUMED_MEMBERS),
  }
}

/** Returns all the text in instructions that came as parts or messages instead of a string. */
function flattenText(value: Json | undefined): string {
  if (typeof value === "string") return value
  if (Array.isArray(value)) {
    const elements: readonly Json[] = value
    return elements
      .map(flattenText)
      .filter(text => text !== "")
      .join("\n")
  }
  if (!isJsonObject(value)) return ""
  return stringAt(value, "text") ?? flattenText(value["content"])
}
