/** Options a model may not know: effort, summary, JSON mode, structured output, tool choice. */

import { objectAt, stringAt } from "#core/json.ts"
import { offeredTools } from "#simulator/answers/offered-tools.ts"
import { findModel } from "#simulator/models.ts"
import { errorRefusal, type Refusal } from "#simulator/refusal.ts"

import type { Check, CheckedCall } from "./checked-call.ts"
import { findSchemaFault } from "./schema-faults.ts"

/** The checks, in order. */
export const optionChecks: readonly Check[] = [
  checkEffort,
  checkSummary,
  checkJsonMode,
  checkJsonSchema,
  checkToolChoice,
]

function checkEffort(call: CheckedCall): Refusal | undefined {
  const effort = stringAt(objectAt(call.body, "reasoning") ?? {}, "effort")
  const model = findModel(stringAt(call.body, "model") ?? "")
  if (effort === undefined || model === undefined || model.efforts.includes(effort)) return undefined
  return errorRefusal({
    message: `Unsupported value: '${effort}' is not supported with the '${model.slug}' model. Supported values are: ${quotedList(model.efforts)}.`,
    param: "reasoning.effort",
    code: "unsupported_value",
  })
}

function checkSummary(call: CheckedCall): Refusal | undefined {
  const summary = objectAt(call.body, "reasoning")?.["summary"]
  const model = findModel(stringAt(call.body, "model") ?? "")
  if (summary === undefined || summary === null || model?.isSpark !== true) return undefined
  return errorRefusal({
    message: `Unsupported parameter: 'reasoning.summary' is not supported with the '${model.slug}' model.`,
    param: "reasoning.summary",
    code: "unsupported_parameter",
  })
}

function checkJsonMode(call: CheckedCall): Refusal | undefined {
  const format = objectAt(objectAt(call.body, "text") ?? {}, "format") ?? {}
  if (format["type"] !== "json_object") return undefined
  if (/json/i.test(JSON.stringify(call.body["input"] ?? ""))) return undefined
  return errorRefusal({
    message:
      "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
    param: "input",
  })
}

function checkJsonSchema(call: CheckedCall): Refusal | undefined {
  const format = objectAt(objectAt(call.body, "text") ?? {}, "format") ?? {}
  if (format["type"] !== "json_schema") return undefined
  const name = stringAt(format, "name")
  if (name === undefined) {
    const message = "Missing required parameter: 'text.format.name'."
    return errorRefusal({ message, param: "text.format.name", code: "missing_required_parameter" })
  }
  const fault = findSchemaFault(format["schema"], { isStrict: format["strict"] === true })
  if (fault === undefined) return undefined
  return errorRefusal({
    message: `Invalid schema for response_format '${name}': ${fault}`,
    param: "text.format.schema",
    code: "invalid_json_schema",
  })
}

function checkToolChoice(call: CheckedCall): Refusal | undefined {
  const choice = objectAt(call.body, "tool_choice")
  const type = choice === undefined ? undefined : stringAt(choice, "type")
  if (choice === undefined || (type !== "function" && type !== "custom")) return undefined
  const name = stringAt(choice, "name")
  if (name === undefined) {
    const message = "Missing required parameter: 'tool_choice.name'."
    return errorRefusal({ message, param: "tool_choice.name", code: "missing_required_parameter" })
  }
  const isOffered = offeredTools(call.body).named.some(tool => tool.name === name)
  if (isOffered) return undefined
  return errorRefusal({ message: `Tool choice '${type}' not found in 'tools' parameter.`, param: "tool_choice" })
}

/** `'a', 'b', and 'c'`. */
function quotedList(values: readonly string[]): string {
  const quoted = values.map(value => `'${value}'`)
  return `${quoted.slice(0, -1).join(", ")}, and ${quoted.at(-1) ?? ""}`
}
