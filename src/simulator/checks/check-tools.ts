/** Tools: how many, how they are called, which the model and the plan take, and whether their schemas hold. */

import { arrayAt, isJsonObject, type Json, type JsonObject, stringAt } from "#core/json.ts"
import { errorRefusal, type Refusal } from "#simulator/refusal.ts"

import { imageToolChecks } from "./check-image-tool.ts"
import { tooLongRefusal } from "./check-item-ids.ts"
import type { Check, CheckedCall } from "./checked-call.ts"
import { indexedItems } from "./indexed-items.ts"
import { findSchemaFault } from "./schema-faults.ts"

const MAX_TOOLS = 128
const MAX_NAME_LENGTH = 64
/** Clients cut namespaced names so that both parts and two underscores fit into this. */
const MAX_QUALIFIED_LENGTH = 128
const NAME_PATTERN = /^[a-zA-Z0-9_-]+$/

/** The checks, in order. */
export const toolChecks: readonly Check[] = [checkCount, ...imageToolChecks, checkDefinitions, checkCallNames]

function checkCount(call: CheckedCall): Refusal | undefined {
  const count = (arrayAt(call.body, "tools") ?? []).length
  if (count <= MAX_TOOLS) return undefined
  const message = `Invalid 'tools': array too long. Expected an array with maximum length ${MAX_TOOLS}, but got an array with length ${count} instead.`
  return errorRefusal({ message, param: "tools", code: "array_above_max_length" })
}

function checkDefinitions(call: CheckedCall): Refusal | undefined {
  return checkList(arrayAt(call.body, "tools") ?? [], { place: "tools", namespace: "" })
}

type Place = { readonly place: string; readonly namespace: string }

function checkList(tools: readonly Json[], where: Place): Refusal | undefined {
  for (const [index, tool] of tools.entries()) {
    const refusal = isJsonObject(tool) ? checkTool(tool, { ...where, place: `${where.place}[${index}]` }) : undefined
    if (refusal !== undefined) return refusal
  }
  return undefined
}

function checkTool(tool: JsonObject, where: Place): Refusal | undefined {
  const type = stringAt(tool, "type")
  if (type !== "function" && type !== "custom" && type !== "namespace") return undefined
  const name = checkName(stringAt(tool, "name"), where)
  if (name !== undefined) return name
  if (type === "function") return checkParameters(tool, where.place)
  if (type === "custom") return undefined
  const inner = { place: `${where.place}.tools`, namespace: stringAt(tool, "name") ?? "" }
  return checkList(arrayAt(tool, "tools") ?? [], inner)
}

function checkName(name: string | undefined, where: Place): Refusal | undefined {
  const param = `${where.place}.name`
  if (name === undefined || name === "") {
    return errorRefusal({
      message: `Missing required parameter: '${param}'.`,
      param,
      code: "missing_required_parameter",
    })
  }
  const maximum = where.namespace === "" ? MAX_NAME_LENGTH : MAX_QUALIFIED_LENGTH - where.namespace.length - 2
  if (name.length > maximum) return tooLongRefusal(param, maximum, name.length)
  return NAME_PATTERN.test(name) ? undefined : patternRefusal(param)
}

function checkParameters(tool: JsonObject, place: string): Refusal | undefined {
  const fault = findSchemaFault(tool["parameters"], { isStrict: tool["strict"] === true })
  if (fault === undefined) return undefined
  return errorRefusal({
    message: `Invalid schema for function '${stringAt(tool, "name") ?? ""}': ${fault}`,
    param: `${place}.parameters`,
    code: "invalid_function_parameters",
  })
}

/** Replayed calls are held to the same letters; their length is not, because namespaced ones are longer. */
function checkCallNames(call: CheckedCall): Refusal | undefined {
  for (const { index, type, item } of indexedItems(call.body)) {
    const name = type === "function_call" || type === "custom_tool_call" ? (stringAt(item, "name") ?? "") : "ok"
    if (!NAME_PATTERN.test(name)) return patternRefusal(`input[${index}].name`)
  }
  return undefined
}

function patternRefusal(param: string): Refusal {
  const message = `Invalid '${param}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`
  return errorRefusal({ message, param, code: "invalid_value" })
}
