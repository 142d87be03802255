/** Items and content parts that are not of a known kind, or stand where they may not. */

import { arrayAt, isJsonObject, type Json, stringAt } from "#core/json.ts"
import { errorRefusal, type Refusal } from "#simulator/refusal.ts"

import type { Check, CheckedCall } from "./checked-call.ts"
import { firstOf, type IndexedItem, indexedItems } from "./indexed-items.ts"

const ITEM_TYPES = [
  "message",
  "reasoning",
  "function_call",
  "function_call_output",
  "custom_tool_call",
  "custom_tool_call_output",
  "local_shell_call",
  "local_shell_call_output",
  "tool_search_call",
  "tool_search_output",
  "web_search_call",
  "image_generation_call",
  "compaction",
  "compaction_summary",
  "compaction_trigger",
  "context_compaction",
  "agent_message",
  "additional_tools",
  "item_reference",
]
const ROLES = ["assistant", "system", "developer", "user"]
const ASSISTANT_PARTS = ["output_text", "refusal"]
const USER_PARTS = ["input_text", "input_image", "input_file"]
/** Encrypted parts appear in outputs of tools that run elsewhere. */
const OUTPUT_PARTS = [...USER_PARTS, "encrypted_content"]

/** The checks, in order. */
export const contentChecks: readonly Check[] = [
  ({ body }) => firstOf(indexedItems(body), checkItemType),
  ({ body }) => firstOf(indexedItems(body), checkRole),
  ({ body }) => firstOf(indexedItems(body), checkParts),
  ({ body }) => checkTriggerLast(indexedItems(body)),
  checkCacheBreakpoint,
]

function checkItemType({ index, type }: IndexedItem): Refusal | undefined {
  return ITEM_TYPES.includes(type) ? undefined : invalidValue(`input[${index}].type`, type, ITEM_TYPES)
}

function checkRole({ index, type, item }: IndexedItem): Refusal | undefined {
  if (type !== "message") return undefined
  const role = stringAt(item, "role") ?? ""
  return ROLES.includes(role) ? undefined : invalidValue(`input[${index}].role`, role, ROLES)
}

function checkParts(entry: IndexedItem): Refusal | undefined {
  if (entry.type === "message") {
    const allowed = stringAt(entry.item, "role") === "assistant" ? ASSISTANT_PARTS : USER_PARTS
    return checkPartTypes(`input[${entry.index}].content`, entry.item["content"], allowed)
  }
  if (!entry.type.endsWith("call_output")) return undefined
  return checkPartTypes(`input[${entry.index}].output`, entry.item["output"], OUTPUT_PARTS)
}

function checkPartTypes(place: string, content: Json | undefined, allowed: readonly string[]): Refusal | undefined {
  if (content === undefined) {
    const message = `Missing required parameter: '${place}'.`
    return errorRefusal({ message, param: place, code: "missing_required_parameter" })
  }
  if (!Array.isArray(content)) return undefined
  for (const [index, part] of content.entries()) {
    const type = isJsonObject(part) ? (stringAt(part, "type") ?? "") : ""
    if (!allowed.includes(type)) return invalidValue(`${place}[${index}].type`, type, allowed)
    const refusal = isJsonObject(part) && type === "input_image" ? checkImage(`${place}[${index}]`, part) : undefined
    if (refusal !== undefined) return refusal
  }
  return undefined
}

function checkImage(place: string, part: { readonly [key: string]: Json }): Refusal | undefined {
  const url = part["image_url"]
  if (url === undefined || url === null) return undefined
  if (typeof url !== "string") {
    const message = `Invalid type for '${place}.image_url': expected an image URL, but got an object instead.`
    return errorRefusal({ message, param: `${place}.image_url`, code: "invalid_type" })
  }
  const base64 = /^data:[^,]*;base64,(.*)$/s.exec(url)?.[1]
  if (base64 === undefined || (base64 !== "" && /^[A-Za-z0-9+/]+={0,2}$/.test(base64) && base64.length % 4 === 0)) {
    return undefined
  }
  const message =
    "The image data you provided does not represent a valid image. Please check your input and try again with one of the supported image formats: ['image/jpeg', 'image/png', 'image/gif', 'image/webp']."
  return errorRefusal({ message, param: "input", code: "invalid_value" })
}

function checkTriggerLast(items: readonly IndexedItem[]): Refusal | undefined {
  const trigger = items.find(item => item.type === "compaction_trigger")
  if (trigger === undefined || trigger === items.at(-1)) return undefined
  return errorRefusal({ message: "The 'compaction_trigger' item must be the final input item.", param: "input" })
}

function checkCacheBreakpoint(call: CheckedCall): Refusal | undefined {
  for (const { index, item } of indexedItems(call.body)) {
    for (const [part, value] of (arrayAt(item, "content") ?? []).entries()) {
      if (!isJsonObject(value) || value["prompt_cache_breakpoint"] === undefined) continue
      return errorRefusal({
        message: "prompt_cache_breakpoint is not supported on this model",
        param: `input[${index}].content[${part}].prompt_cache_breakpoint`,
        code: "unsupported_parameter",
      })
    }
  }
  return undefined
}

function invalidValue(param: string, value: string, allowed: readonly string[]): Refusal {
  const quoted = allowed.map(name => `'${name}'`)
  const list =
    quoted.length > 2 ? `${quoted.slice(0, -1).join(", ")}, and ${quoted.at(-1) ?? ""}` : quoted.join(" and ")
  const message = `Invalid value: '${value}'. Supported values are: ${list}.`
  return errorRefusal({ message, param, code: "invalid_value" })
}
