/** Input items of a draft → the final `input`: normalised, paired, renamed, with the trigger last. */

import { arrayAt, isJsonObject, type JsonObject, stringAt } from "#core/json.ts"

import { shortCallId } from "./call-ids.ts"
import { isReservedName } from "./encode-tools.ts"
import { type ItemRules, normaliseItems } from "./normalise-items.ts"
import { pairCalls } from "./pair-calls.ts"
import type { ToolNames } from "./tool-names.ts"

/** What the items need to know of the rest of the request. */
export type InputRules = ItemRules & {
  readonly names: ToolNames
  /** Custom and reserved names of native bodies stay as they are; see `ToolRules.nativeTools`. */
  readonly nativeTools: boolean
  /** The answer must be a JSON object; the upstream then insists on the word "json" in the input. */
  readonly jsonHint: boolean
}

const EMPTY_TURN: JsonObject = { type: "message", role: "user", content: [{ type: "input_text", text: "" }] }

const JSON_HINT: JsonObject = {
  type: "message",
  role: "developer",
  content: [{ type: "input_text", text: "Answer with one JSON object." }],
}

/** The item that asks for a compaction. It has no id and stands last. */
export const COMPACTION_TRIGGER: JsonObject = { type: "compaction_trigger" }

/** Returns a non-empty `input`. Append-only histories give append-only results, which keeps prompt caches warm. */
export function encodeInput(items: readonly JsonObject[], rules: InputRules): readonly JsonObject[] {
  const conversation = items.filter(item => item["type"] !== "compaction_trigger")
  const paired = pairCalls(normaliseItems(conversation, rules))
  const input = paired.map(item => finishItem(item, rules))
  if (rules.jsonHint && !mentionsJson(input)) input.unshift(JSON_HINT)
  if (conversation.length < items.length) input.push(COMPACTION_TRIGGER)
  return input.length === 0 ? [EMPTY_TURN] : input
}

function finishItem(item: JsonObject, rules: InputRules): JsonObject {
  const callId = stringAt(item, "call_id")
  const shortId = callId === undefined ? undefined : shortCallId(callId)
  const name = upstreamName(item, rules)
  const isFine = shortId === callId && (name === undefined || name === item["name"])
  if (isFine) return item
  return {
    ...item,
    ...(shortId === undefined ? {} : { call_id: shortId }),
    ...(name === undefined ? {} : { name }),
  }
}

/** Returns the name a call must carry, undefined for items whose name is not ours to change. */
function upstreamName(item: JsonObject, rules: InputRules): string | undefined {
  const name = stringAt(item, "name")
  if (name === undefined || item["namespace"] !== undefined) return undefined
  if (item["type"] === "custom_tool_call" && rules.nativeTools) return undefined
  if (item["type"] !== "function_call" && item["type"] !== "custom_tool_call") return undefined
  return rules.nativeTools && isReservedName(name) ? undefined : rules.names.toUpstream(name)
}

/**
 * Looks no further than the first user message: a hint that disappears once a later turn says "json" would change
 * the head of the input and lose the prompt cache. A hint too many does no harm; instructions that say the word do not
 * count upstream.
 */
function mentionsJson(input: readonly JsonObject[]): boolean {
  for (const item of input) {
    if (item["type"] !== "message" || item["role"] === "assistant") continue
    const parts = arrayAt(item, "content") ?? []
    if (parts.some(part => isJsonObject(part) && /json/i.test(stringAt(part, "text") ?? ""))) return true
    if (item["role"] === "user") return false
  }
  return false
}
