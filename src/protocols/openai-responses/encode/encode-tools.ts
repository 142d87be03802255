/** Tools of a draft → tools the upstream takes, with the map of names that had to change. */

import { type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"
import { invalidRequest } from "#protocols/check-body.ts"

import { repairParameters } from "./schema-repair.ts"
import { mapToolNames, type ToolNames } from "./tool-names.ts"
import { withoutKeys } from "./without-keys.ts"

/** How far tools may be changed for this request. */
export type ToolRules = {
  /** What an omitted `strict` means to the client: false on chat-like dialects, undefined where it is left alone. */
  readonly strictDefault: boolean | undefined
  /** The caller wrote native tools: their custom tools are compared byte by byte upstream and stay untouched. */
  readonly nativeTools: boolean
  /** Codex clients may send options only their own backend knows. */
  readonly keepUnknownOptions: boolean
  readonly imageTool: boolean
}

/** The tools to send; `names` also applies to history and `tool_choice`. */
export type EncodedTools = { readonly tools: readonly JsonObject[]; readonly names: ToolNames }

/** More tools are refused upstream. */
const MAX_TOOLS = 128

/** Names the newest models reserve; their schemas must match the official ones to the byte. */
const RESERVED_PREFIX = "collaboration."

const WEB_SEARCH = /^web_search(_preview)?(_\d.*)?$/
const WEB_SEARCH_OPTIONS = ["search_context_size", "user_location", "filters"] as const
const FUNCTION_MEMBERS = ["type", "name", "description", "parameters", "strict", "defer_loading"] as const

/** Hosted tools that make sense only once. */
const SINGLE_TOOLS: ReadonlySet<string> = new Set(["web_search", "image_generation", "tool_search", "local_shell"])

/** Repairs, de-duplicates and renames. Throws `invalid-request` (`tools`) for more than 128 tools. */
export function encodeTools(declared: readonly JsonObject[], rules: ToolRules): EncodedTools {
  const tools = withoutRepeats(declared.map(tool => shapeTool(tool, rules)).filter(tool => tool !== undefined))
  if (tools.length > MAX_TOOLS) {
    const message = `Too many tools: ${tools.length}; the upstream takes at most ${MAX_TOOLS}.`
    throw invalidRequest(message, "tools", "array_above_max_length")
  }
  const renamed = tools.filter(tool => isRenamable(tool, rules))
  const names = mapToolNames(renamed.map(nameOf))
  return {
    names,
    tools: tools.map(tool => (isRenamable(tool, rules) ? renameTool(tool, names) : tool)),
  }
}

/** True for a tool name that must go upstream exactly as it is. */
export function isReservedName(name: string): boolean {
  return name.startsWith(RESERVED_PREFIX)
}

/** Returns `web_search` for its preview and dated spellings, any other type as it is. */
export function currentToolType(type: string): string {
  return WEB_SEARCH.test(type) ? "web_search" : type
}

function isRenamable(tool: JsonObject, rules: ToolRules): boolean {
  if (tool["type"] === "function") return !(rules.nativeTools && isReservedName(nameOf(tool)))
  return tool["type"] === "custom" && !rules.nativeTools
}

function renameTool(tool: JsonObject, names: ToolNames): JsonObject {
  const name = names.toUpstream(nameOf(tool))
  return name === tool["name"] ? tool : { ...tool, name }
}

function shapeTool(declared: JsonObject, rules: ToolRules): JsonObject | undefined {
  const tool = flattenTool(declared)
  const type = currentToolType(stringAt(tool, "type") ?? "")
  switch (type) {
    case "":
      return undefined
    case "function":
      return rules.nativeTools && isReservedName(nameOf(tool)) ? tool : shapeFunction(tool, rules)
    case "web_search":
      return shapeWebSearch(tool, rules)
    case "image_generation":
      return rules.imageTool ? withoutKeys(tool, ["style"]) : undefined
    default:
      return tool
  }
}

/** Lifts chat's nesting and fills in a missing `type`; a flat tool is returned as it is. */
function flattenTool(tool: JsonObject): JsonObject {
  const type = stringAt(tool, "type")
  if (type === undefined) {
    const nested = objectAt(tool, "function")
    if (nested !== undefined) return { type: "function", ...nested }
    return stringAt(tool, "name") ? { ...withoutKeys(tool, ["type"]), type: "function" } : {}
  }
  if (type !== "function" && type !== "custom") return tool
  const nested = objectAt(tool, type)
  return flattenGrammar(nested === undefined ? tool : { type, ...nested })
}

function flattenGrammar(tool: JsonObject): JsonObject {
  const grammar = objectAt(objectAt(tool, "format") ?? {}, "grammar")
  return grammar === undefined ? tool : { ...tool, format: { type: "grammar", ...grammar } }
}

function shapeFunction(tool: JsonObject, rules: ToolRules): JsonObject {
  const known = rules.keepUnknownOptions ? tool : pickKeys(tool, FUNCTION_MEMBERS)
  const strict = typeof tool["strict"] === "boolean" ? tool["strict"] : rules.strictDefault
  const parameters = repairParameters(known["parameters"], strict === true)
  return { ...known, parameters, ...(strict === undefined ? {} : { strict }) }
}

function shapeWebSearch(tool: JsonObject, rules: ToolRules): JsonObject {
  const options = rules.keepUnknownOptions ? withoutKeys(tool, ["type"]) : pickKeys(tool, WEB_SEARCH_OPTIONS)
  return { type: "web_search", ...options }
}

/** Keeps the first of a kind; a name declared as function and as custom is a function. */
function withoutRepeats(tools: readonly JsonObject[]): readonly JsonObject[] {
  const functions = new Set(tools.filter(tool => tool["type"] === "function").map(nameOf))
  const seen = new Set<string>()
  return tools.filter(tool => {
    const key = repeatKey(tool)
    if (key === undefined) return true
    if (seen.has(key) || (tool["type"] === "custom" && functions.has(nameOf(tool)))) return false
    seen.add(key)
    return true
  })
}

/** Returns what must be unique about a tool, undefined for kinds that may be declared several times. */
function repeatKey(tool: JsonObject): string | undefined {
  const type = stringAt(tool, "type") ?? ""
  if (SINGLE_TOOLS.has(type)) return type
  return type === "function" || type === "custom" ? `${type} ${nameOf(tool)}` : undefined
}

function pickKeys(object: JsonObject, keys: readonly string[]): JsonObject {
  const entries: [string, Json][] = []
  for (const [key, value] of Object.entries(object)) {
    if (keys.includes(key) && value !== null) entries.push([key, value])
  }
  return Object.fromEntries(entries)
}

function nameOf(tool: JsonObject): string {
  return stringAt(tool, "name") ?? ""
}
