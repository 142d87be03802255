/** What the backend layer refuses before any model is looked at: bodies of the form `{"detail": text}`. */

import { arrayAt, isJsonObject, objectAt, stringAt } from "#core/json.ts"
import { detailRefusal, type Refusal } from "#simulator/refusal.ts"

import type { Check, CheckedCall } from "./checked-call.ts"

/** Top-level keys the backend takes; anything else is an unsupported parameter. */
const RESPONSES_KEYS = new Set([
  "model",
  "instructions",
  "input",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "reasoning",
  "store",
  "stream",
  "stream_options",
  "include",
  "service_tier",
  "prompt_cache_key",
  "text",
  "client_metadata",
])

const COMPACT_KEYS = new Set([
  "model",
  "input",
  "instructions",
  "tools",
  "parallel_tool_calls",
  "reasoning",
  "service_tier",
  "prompt_cache_key",
  "text",
])

const TOOL_TYPES = new Set([
  "function",
  "custom",
  "namespace",
  "tool_search",
  "web_search",
  "local_shell",
  "image_generation",
])

/** Header of the reduced lane newer models know. */
export const LITE_HEADER = "x-openai-internal-codex-responses-lite"

/** The checks, in order. */
export const envelopeChecks: readonly Check[] = [
  ({ body, endpoint }) =>
    endpoint === "responses" && body["store"] !== false ? detailRefusal("Store must be set to false") : undefined,
  ({ body, endpoint }) =>
    endpoint === "responses" && body["stream"] !== true ? detailRefusal("Stream must be set to true") : undefined,
  ({ body }) => (Array.isArray(body["input"]) ? undefined : detailRefusal("Input must be a list")),
  checkInstructions,
  checkParameters,
  checkStreamOptions,
  checkToolTypes,
  checkRoles,
  checkServiceTier,
]

/** The reduced lane carries its instructions in the input. */
function checkInstructions(call: CheckedCall): Refusal | undefined {
  if (call.endpoint === "compact" || !call.rules.requireInstructions || call.headers.has(LITE_HEADER)) return undefined
  return typeof call.body["instructions"] === "string" ? undefined : detailRefusal("Instructions are required")
}

function checkParameters(call: CheckedCall): Refusal | undefined {
  const known = call.endpoint === "compact" ? COMPACT_KEYS : RESPONSES_KEYS
  const foreign = Object.keys(call.body).find(key => !known.has(key))
  return foreign === undefined ? undefined : detailRefusal(`Unsupported parameter: ${foreign}`)
}

function checkStreamOptions(call: CheckedCall): Refusal | undefined {
  const options = Object.keys(objectAt(call.body, "stream_options") ?? {})
  const foreign = options.find(key => key !== "reasoning_summary_delivery")
  return foreign === undefined ? undefined : detailRefusal(`Unsupported parameter: stream_options.${foreign}`)
}

function checkToolTypes(call: CheckedCall): Refusal | undefined {
  for (const tool of arrayAt(call.body, "tools") ?? []) {
    const type = isJsonObject(tool) ? stringAt(tool, "type") : undefined
    if (type === undefined || !TOOL_TYPES.has(type)) return detailRefusal(`Unsupported tool type: ${type ?? "None"}`)
  }
  return undefined
}

/** Seen as https://github.com/tingly-dev/tingly-box/issues/1489: an item with or without `type`. */
function checkRoles(call: CheckedCall): Refusal | undefined {
  const items = (arrayAt(call.body, "input") ?? []).filter(isJsonObject)
  const hasSystem = items.some(item => stringAt(item, "role") === "system")
  return hasSystem ? detailRefusal("System messages are not allowed") : undefined
}

/** Seen as https://github.com/openai/codex/issues/15099 and https://github.com/Soju06/codex-lb/issues/154. */
function checkServiceTier(call: CheckedCall): Refusal | undefined {
  const tier = call.body["service_tier"]
  if (tier === undefined || tier === null || tier === "priority") return undefined
  return detailRefusal(`Unsupported service_tier: ${String(tier)}`)
}
