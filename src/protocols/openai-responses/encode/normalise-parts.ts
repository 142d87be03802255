/** Content parts of Responses items, brought to the types and shapes the upstream accepts for a side. */

import { isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"
import { withoutNulls } from "#protocols/check-body.ts"
import { defined } from "#protocols/defined.ts"

import { repairDataUrl } from "./data-url.ts"
import { withoutKeys } from "./without-keys.ts"

/** Who speaks: part types differ between what goes in (user, developer, tool) and what came out (assistant). */
export type Side = "input" | "output"

/** What the upstream refuses at part level. */
export type PartRules = {
  /** `prompt_cache_breakpoint` is an unknown key to the Codex backend. */
  readonly dropCacheBreakpoints: boolean
  /** Encrypted parts belong to another account or were refused. */
  readonly dropEncrypted: boolean
}

/** Returns the parts of a message's content; a string becomes one text part, nothing becomes an empty one. */
export function normaliseContent(content: Json | undefined, side: Side, rules: PartRules): readonly JsonObject[] {
  if (content === undefined || content === null) return [textPart("", side)]
  if (typeof content === "string") return [textPart(content, side)]
  return normaliseParts(Array.isArray(content) ? content : [content], side, rules)
}

/** Returns the parts that may be sent, re-typed for their side. Parts that are fine are returned as they are. */
export function normaliseParts(elements: readonly Json[], side: Side, rules: PartRules): readonly JsonObject[] {
  const parts: JsonObject[] = []
  for (const element of elements) {
    const part = normalisePart(element, side, rules)
    if (part !== undefined) parts.push(part)
  }
  return parts
}

function textPart(text: string, side: Side): JsonObject {
  return { type: side === "input" ? "input_text" : "output_text", text }
}

function normalisePart(element: Json, side: Side, rules: PartRules): JsonObject | undefined {
  if (isJsonObject(element)) return normaliseObject(plainPart(element, rules), side, rules)
  return textPart(typeof element === "string" ? element : JSON.stringify(element), side)
}

/** Members that are null count as absent. */
function plainPart(element: JsonObject, rules: PartRules): JsonObject {
  const part = withoutNulls(element)
  return rules.dropCacheBreakpoints ? withoutKeys(part, ["prompt_cache_breakpoint"]) : part
}

function normaliseObject(part: JsonObject, side: Side, rules: PartRules): JsonObject | undefined {
  switch (stringAt(part, "type") ?? "") {
    case "text":
    case "input_text":
    case "output_text":
      return retypeText(part, side)
    case "refusal":
      return side === "output" ? part : textPart(stringAt(part, "refusal") ?? "", side)
    case "image_url":
    case "input_image":
      return side === "input" ? normaliseImage(part) : undefined
    case "file":
    case "input_file":
      return side === "input" ? normaliseFile(part) : undefined
    case "encrypted_content":
      return rules.dropEncrypted ? undefined : part
    default:
      return isUntypedText(part) ? retypeText(part, side) : part
  }
}

/** Only a type can tell what a part without text is. */
function isUntypedText(part: JsonObject): boolean {
  return stringAt(part, "type") === undefined && stringAt(part, "text") !== undefined
}

/** Members of an output text (`annotations`, `logprobs`) have no place in an input text. */
function retypeText(part: JsonObject, side: Side): JsonObject {
  const type = side === "input" ? "input_text" : "output_text"
  if (part["type"] === type && typeof part["text"] === "string") return part
  return textPart(stringAt(part, "text") ?? "", side)
}

function normaliseImage(part: JsonObject): JsonObject | undefined {
  const nested = objectAt(part, "image_url")
  const url = stringAt(part, "image_url") ?? (nested === undefined ? undefined : stringAt(nested, "url"))
  if (!url) return stringAt(part, "file_id") ? withoutKeys({ ...part, type: "input_image" }, ["image_url"]) : undefined
  const repaired = repairDataUrl(url)
  if (part["type"] === "input_image" && part["image_url"] === repaired) return part
  const detail = (nested && stringAt(nested, "detail")) ?? stringAt(part, "detail")
  return { type: "input_image", image_url: repaired, ...defined({ detail }) } as JsonObject // no undefined left
}

/** Flattens chat's `{type: "file", file: {…}}`. */
function normaliseFile(part: JsonObject): JsonObject {
  const nested = objectAt(part, "file")
  const flat: JsonObject = nested === undefined ? part : { ...nested, type: "input_file" }
  const data = stringAt(flat, "file_data")
  const repaired = data === undefined ? undefined : repairDataUrl(data)
  if (flat["type"] === "input_file" && repaired === data) return flat
  return { ...flat, type: "input_file", ...(repaired === undefined ? {} : { file_data: repaired }) }
}
