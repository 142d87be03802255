/** The tool that draws: who has it, and which options it takes. */

import { arrayAt, isJsonObject, type Json, type JsonObject, stringAt } from "#core/json.ts"
import { findModel } from "#simulator/models.ts"
import { errorRefusal, type Refusal } from "#simulator/refusal.ts"

import type { Check, CheckedCall } from "./checked-call.ts"

/** What each option may be. */
const OPTIONS: Readonly<Record<string, (value: Json) => boolean>> = {
  type: () => true,
  model: value => typeof value === "string" && /^(gpt-image|chatgpt-image)/.test(value),
  size: value => typeof value === "string" && /^(auto|\d+x\d+)$/.test(value),
  quality: oneOf("low", "medium", "high", "auto"),
  background: oneOf("transparent", "opaque", "auto"),
  output_format: oneOf("png", "jpeg", "webp"),
  output_compression: wholeNumber(0, 100),
  moderation: oneOf("auto", "low"),
  input_fidelity: oneOf("low", "high"),
  partial_images: wholeNumber(0, 3),
  action: oneOf("auto", "generate", "edit"),
  input_image_mask: value => isJsonObject(value) && typeof (value["image_url"] ?? value["file_id"]) === "string",
}

/** The checks, in order. */
export const imageToolChecks: readonly Check[] = [checkPlan, checkOptions]

function imageTools({ body }: CheckedCall): readonly JsonObject[] {
  return (arrayAt(body, "tools") ?? []).filter(isJsonObject).filter(tool => tool["type"] === "image_generation")
}

function checkPlan(call: CheckedCall): Refusal | undefined {
  const slug = stringAt(call.body, "model") ?? ""
  const isRefused = findModel(slug)?.isSpark === true || call.account.plan.startsWith("free")
  if (!isRefused || imageTools(call).length === 0) return undefined
  return errorRefusal({ message: `Tool 'image_generation' is not supported with ${slug}.`, param: "tools" })
}

function checkOptions(call: CheckedCall): Refusal | undefined {
  for (const [name, value] of imageTools(call).flatMap(tool => Object.entries(tool))) {
    const isValid = OPTIONS[name]
    const param = `tools[0].${name}`
    if (isValid === undefined) {
      return errorRefusal({ message: `Unknown parameter: '${param}'.`, param, code: "unknown_parameter" })
    }
    if (!isValid(value)) return errorRefusal({ message: `Invalid value for '${param}'.`, param, code: "invalid_value" })
  }
  return undefined
}

function oneOf(...words: readonly string[]): (value: Json) => boolean {
  return value => typeof value === "string" && words.includes(value)
}

function wholeNumber(minimum: number, maximum: number): (value: Json) => boolean {
  return value => typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum
}
