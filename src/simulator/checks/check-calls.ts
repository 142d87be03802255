/** Calls and outputs in the input: argument types, and that each has its counterpart. */

import { type Json, stringAt } from "#core/json.ts"
import { errorRefusal, type Refusal } from "#simulator/refusal.ts"

import { tooLongRefusal } from "./check-item-ids.ts"
import type { Check, CheckedCall } from "./checked-call.ts"
import { type IndexedItem, indexedItems } from "./indexed-items.ts"

const MAX_ARGUMENTS_LENGTH = 1_048_576

/** Call type → its output's type and how texts name the two. */
const PAIRS = {
  function_call: { output: "function_call_output", name: "function call" },
  custom_tool_call: { output: "custom_tool_call_output", name: "custom tool call" },
} as const

/** The checks, in order. */
export const callChecks: readonly Check[] = [checkArguments, checkOrphanOutputs, checkUnansweredCalls]

function checkArguments(call: CheckedCall): Refusal | undefined {
  for (const { index, type, item } of indexedItems(call.body)) {
    const field = type === "function_call" ? "arguments" : "input"
    if (!(type in PAIRS)) continue
    const refusal = checkArgument(`input[${index}].${field}`, item[field])
    if (refusal !== undefined) return refusal
  }
  return undefined
}

function checkArgument(param: string, value: Json | undefined): Refusal | undefined {
  if (value === undefined) {
    return errorRefusal({
      message: `Missing required parameter: '${param}'.`,
      param,
      code: "missing_required_parameter",
    })
  }
  if (typeof value !== "string") {
    const message = `Invalid type for '${param}': expected a string, but got ${kindOf(value)} instead.`
    return errorRefusal({ message, param, code: "invalid_type" })
  }
  return value.length > MAX_ARGUMENTS_LENGTH ? tooLongRefusal(param, MAX_ARGUMENTS_LENGTH, value.length) : undefined
}

/** Every output needs its call earlier in the input. Shell calls of the older kind are answered like functions. */
function checkOrphanOutputs(call: CheckedCall): Refusal | undefined {
  const seen = new Set<string>()
  for (const { type, item } of indexedItems(call.body)) {
    const callId = stringAt(item, "call_id") ?? ""
    if (type in PAIRS) seen.add(`${type}/${callId}`)
    if (type === "local_shell_call") seen.add(`function_call/${callId}`)
    for (const [callType, pair] of Object.entries(PAIRS)) {
      if (type !== pair.output || seen.has(`${callType}/${callId}`)) continue
      const message = `No tool call found for ${pair.name} output with call_id ${callId}.`
      return errorRefusal({ message, param: "input" })
    }
  }
  return undefined
}

/** Every call needs an output somewhere in the input. */
function checkUnansweredCalls(call: CheckedCall): Refusal | undefined {
  const items = indexedItems(call.body)
  const answered = new Set(items.map(outputKey))
  for (const { type, item } of items) {
    const pair = type === "function_call" || type === "custom_tool_call" ? PAIRS[type] : undefined
    const callId = stringAt(item, "call_id") ?? ""
    if (pair === undefined || answered.has(`${pair.output}/${callId}`)) continue
    return errorRefusal({ message: `No tool output found for ${pair.name} ${callId}.`, param: "input" })
  }
  return undefined
}

function outputKey({ type, item }: IndexedItem): string {
  return `${type}/${stringAt(item, "call_id") ?? ""}`
}

function kindOf(value: Json): string {
  if (value === null) return "null"
  if (Array.isArray(value)) return "an array"
  if (typeof value === "object") return "an object"
  return typeof value === "number" ? "a number" : "a boolean"
}
