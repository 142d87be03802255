/** Rules for ids inside the input: length, letters, prefix by item type, and that nothing is stored. */

import { stringAt } from "#core/json.ts"
import { errorRefusal, type Refusal } from "#simulator/refusal.ts"

import type { Check } from "./checked-call.ts"
import { firstOf, type IndexedItem, indexedItems } from "./indexed-items.ts"

const MAX_ID_LENGTH = 64

/** What the id of an item has to begin with. Outputs share the prefix of their call. */
const PREFIXES: Readonly<Record<string, string>> = {
  message: "msg",
  reasoning: "rs",
  function_call: "fc",
  function_call_output: "fc",
  custom_tool_call: "ctc",
  custom_tool_call_output: "ctc",
  web_search_call: "ws",
  image_generation_call: "ig",
  compaction: "cmp",
  local_shell_call: "lsh",
  tool_search_call: "tsc",
}

/** The checks, in order. */
export const itemIdChecks: readonly Check[] = [
  ({ body }) => firstOf(indexedItems(body), checkReference),
  ({ body }) => firstOf(indexedItems(body), checkId),
  ({ body }) => firstOf(indexedItems(body), checkCallId),
]

/** The refusal of a string that is too long, with the backend's own wording. */
export function tooLongRefusal(param: string, maximum: number, length: number): Refusal {
  const message = `Invalid '${param}': string too long. Expected a string with maximum length ${maximum}, but got a string with length ${length} instead.`
  return errorRefusal({ message, param, code: "string_above_max_length" })
}

/** The refusal of an item that only points at a stored one. */
export function notStoredRefusal(id: string): Refusal {
  const message = `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`
  return errorRefusal({ status: 404, message, param: "input" })
}

function checkReference({ type, item }: IndexedItem): Refusal | undefined {
  return type === "item_reference" ? notStoredRefusal(stringAt(item, "id") ?? "") : undefined
}

function checkId({ index, type, item }: IndexedItem): Refusal | undefined {
  const id = stringAt(item, "id")
  if (id === undefined) return undefined
  const param = `input[${index}].id`
  if (id.length > MAX_ID_LENGTH) return tooLongRefusal(param, MAX_ID_LENGTH, id.length)
  if (!/^[A-Za-z0-9_-]+$/.test(id)) {
    const message = `Invalid '${param}': '${id}'. Expected an ID that contains letters, numbers, underscores, or dashes, but this value contained additional characters.`
    return errorRefusal({ message, param, code: "invalid_value" })
  }
  const prefix = PREFIXES[type]
  if (prefix === undefined || id.startsWith(prefix)) return undefined
  const message = `Invalid '${param}': '${id}'. Expected an ID that begins with '${prefix}'.`
  return errorRefusal({ message, param, code: "invalid_value" })
}

function checkCallId({ index, item }: IndexedItem): Refusal | undefined {
  const callId = stringAt(item, "call_id")
  if (callId === undefined || callId.length <= MAX_ID_LENGTH) return undefined
  return tooLongRefusal(`input[${index}].call_id`, MAX_ID_LENGTH, callId.length)
}
