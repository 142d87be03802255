/** Input items, one by one, brought to what a `store: false` upstream accepts. */

import { arrayAt, isJsonObject, type Json, type JsonObject, parseJsonObject, stringAt } from "#core/json.ts"
import { withoutNulls } from "#protocols/check-body.ts"
import { isTooDeep } from "#protocols/nesting.ts"

import { normaliseContent, normaliseParts, type PartRules } from "./normalise-parts.ts"
import { withoutKeys } from "./without-keys.ts"

/** What the upstream refuses at item level. */
export type ItemRules = PartRules & {
  /** The Codex backend has no `system` role. */
  readonly systemAsDeveloper: boolean
  /** Custom tools whose calls the client keeps as function calls: they are turned back. */
  readonly customNames: ReadonlySet<string>
  /** Encrypted texts of other accounts. */
  readonly foreignTexts?: ReadonlySet<string> | undefined
}

/** Returns the item to send, or undefined when it must not be sent. */
type NormaliseItem = (item: JsonObject, rules: ItemRules) => JsonObject | undefined

/** The upstream refuses longer ids, and ids of items it has not stored. */
const MAX_ID_CHARS = 64

/** Hosted calls whose type demands an id. */
const TYPES_WITH_ID: ReadonlySet<string> = new Set([
  "file_search_call",
  "code_interpreter_call",
  "computer_call",
  "mcp_call",
  "mcp_list_tools",
  "mcp_approval_request",
])

const NORMALISERS: ReadonlyMap<string, NormaliseItem> = new Map<string, NormaliseItem>([
  ["message", normaliseMessage],
  ["reasoning", normaliseReasoning],
  ["function_call", normaliseFunctionCall],
  ["custom_tool_call", normaliseCustomCall],
  ["tool_search_call", normaliseToolSearchCall],
  ["function_call_output", normaliseOutput],
  ["custom_tool_call_output", normaliseOutput],
  ["compaction", normaliseCompaction],
  ["compaction_summary", normaliseCompaction],
  ["context_compaction", normaliseCompaction],
  ["image_generation_call", normaliseImageCall],
])

/**
 * Returns the items to send, in order. Ids are deleted: nothing is stored upstream, and foreign ids are refused.
 * Unknown types pass with all their other members. `compaction_trigger` keeps its place; see `encode-input.ts`.
 */
export function normaliseItems(items: readonly JsonObject[], rules: ItemRules): readonly JsonObject[] {
  const normalised: JsonObject[] = []
  for (const item of items) {
    const type = stringAt(item, "type") ?? (stringAt(item, "role") === undefined ? "" : "message")
    const next = (NORMALISERS.get(type) ?? normaliseOther)(item, rules)
    if (next !== undefined) normalised.push(next)
  }
  return normalised
}

function normaliseMessage(item: JsonObject, rules: ItemRules): JsonObject {
  const role = item["role"] === "system" && rules.systemAsDeveloper ? "developer" : item["role"]
  const side = role === "assistant" ? "output" : "input"
  const content = normaliseContent(item["content"], side, rules)
  // A message without a usable `type` gets it where the others have it: in front.
  const rest =
    item["type"] === "message" ? plainItem(item) : { type: "message", ...withoutKeys(plainItem(item), ["type"]) }
  return { ...rest, role: role ?? "user", content }
}

/**
 * Reasoning replays only through its encrypted content; an id alone points to an item nobody stored, and a non-empty
 * `content` is refused with `array_above_max_length`.
 */
function normaliseReasoning(item: JsonObject, rules: ItemRules): JsonObject | undefined {
  const encrypted = stringAt(item, "encrypted_content")
  if (!encrypted || rules.dropEncrypted || rules.foreignTexts?.has(encrypted)) return undefined
  const kept = withoutKeys(plainItem(item), ["content"])
  return arrayAt(kept, "summary") === undefined ? { ...kept, summary: [] } : kept
}

function normaliseFunctionCall(item: JsonObject, rules: ItemRules): JsonObject {
  if (!rules.customNames.has(stringAt(item, "name") ?? "")) {
    return { ...plainItem(item), arguments: jsonSource(item["arguments"]) }
  }
  const kept = withoutKeys(plainItem(item), ["arguments"])
  return { ...kept, type: "custom_tool_call", input: plainText(item["arguments"]) }
}

function normaliseCustomCall(item: JsonObject): JsonObject {
  return { ...plainItem(item), input: plainText(item["input"]) }
}

function normaliseToolSearchCall(item: JsonObject): JsonObject {
  const kept = withoutKeys(item, ["id"])
  return typeof kept["arguments"] === "string" ? { ...kept, arguments: argumentsOf(kept["arguments"]) } : kept
}

function normaliseOutput(item: JsonObject, rules: ItemRules): JsonObject {
  const output = item["output"]
  const kept = plainItem(item)
  if (!Array.isArray(output)) return { ...kept, output: plainText(output) }
  const parts = normaliseParts(output, "input", rules)
  return { ...kept, output: parts.length === 0 ? "" : parts }
}

/**
 * A compaction without its encrypted content is worth only its summary text. One that has it is never dropped: the model
 * would go on without the history it stands for, and nobody would be told.
 */
function normaliseCompaction(item: JsonObject): JsonObject | undefined {
  if (stringAt(item, "encrypted_content")) return withoutKeys(item, ["id"])
  const summary = summaryText(item["summary"])
  if (summary === "") return undefined
  return { type: "message", role: "developer", content: [{ type: "input_text", text: summary }] }
}

/** A generated image that cannot be named by its id is shown to the model as an input image. */
function normaliseImageCall(item: JsonObject): JsonObject | undefined {
  const id = stringAt(item, "id") ?? ""
  if (id.startsWith("ig_") && isAcceptableId(id)) return item
  const result = stringAt(item, "result")
  if (!result) return undefined
  const url = result.startsWith("data:")
    ? result
    : `data:image/${stringAt(item, "output_format") ?? "png"};base64,${result}`
  return {
    type: "message",
    role: "user",
    content: normaliseContent([{ type: "input_image", image_url: url }], "input", KEEP_ALL),
  }
}

const KEEP_ALL: PartRules = { dropCacheBreakpoints: false, dropEncrypted: false }

function normaliseOther(item: JsonObject, rules: ItemRules): JsonObject | undefined {
  if (TYPES_WITH_ID.has(stringAt(item, "type") ?? "")) {
    return isAcceptableId(stringAt(item, "id") ?? "") ? item : undefined
  }
  const kept = withoutKeys(item, ["id"])
  const content = arrayAt(kept, "content")
  if (!rules.dropEncrypted || content === undefined) return kept
  const plain = content.filter(part => !isJsonObject(part) || part["type"] !== "encrypted_content")
  if (plain.length === content.length) return kept
  return plain.length === 0 ? undefined : { ...kept, content: plain }
}

/** The item without its id; members that are null count as absent. */
function plainItem(item: JsonObject): JsonObject {
  return withoutKeys(withoutNulls(item), ["id"])
}

function isAcceptableId(id: string): boolean {
  return id.length <= MAX_ID_CHARS && /^[A-Za-z0-9_-]+$/.test(id)
}

function jsonSource(value: Json | undefined): string {
  if (typeof value === "string") return value === "" ? "{}" : value
  return value === undefined || value === null ? "{}" : JSON.stringify(value)
}

function plainText(value: Json | undefined): string {
  if (typeof value === "string") return value
  return value === undefined || value === null ? "" : JSON.stringify(value)
}

function summaryText(summary: Json | undefined): string {
  if (typeof summary === "string") return summary
  if (!Array.isArray(summary)) return ""
  const parts: readonly Json[] = summary
  return parts
    .map(part => (isJsonObject(part) ? (stringAt(part, "text") ?? "") : ""))
    .join("\n")
    .trim()
}

function argumentsOf(source: string): JsonObject {
  const value = parseJsonObject(source)
  // The upstream wants an object here and never needs the broken text.
  return value === undefined || isTooDeep(value) ? {} : value
}
