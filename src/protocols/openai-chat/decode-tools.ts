/** Chat `tools`, `functions` and `web_search_options` → neutral tool definitions. */

import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { ToolDefinition } from "#core/request.ts"
import { invalidRequest } from "#protocols/check-body.ts"
import { defined } from "#protocols/defined.ts"

/** The tools of a request and, for history and `tool_choice`, what kind each name is. */
export type ChatTools = {
  readonly definitions: readonly ToolDefinition[]
  readonly functionNames: ReadonlySet<string>
  /** Names declared as custom and not as function. */
  readonly customNames: ReadonlySet<string>
}

const WEB_SEARCH = /^web_search(_preview)?(_\d.*)?$/

/** Decodes every tool. Throws `invalid-request` for nameless tools and for tools chat answers cannot express. */
export function decodeChatTools(body: JsonObject): ChatTools {
  const definitions: ToolDefinition[] = []
  for (const [index, tool] of (arrayAt(body, "tools") ?? []).entries()) {
    const definition = isJsonObject(tool) ? decodeTool(tool, index) : undefined
    if (definition !== undefined) definitions.push(definition)
  }
  for (const [index, source] of (arrayAt(body, "functions") ?? []).entries()) {
    if (isJsonObject(source)) definitions.push(decodeFunction(source, `functions[${index}].name`))
  }
  const search = objectAt(body, "web_search_options")
  if (search !== undefined && !definitions.some(tool => tool.type === "web-search")) {
    definitions.push({ type: "web-search", options: webSearchOptions(search) })
  }
  return { definitions, ...declaredNames(definitions) }
}

/** True for the web search tool in any of its dated spellings. */
export function isWebSearchType(type: Json | undefined): boolean {
  return typeof type === "string" && WEB_SEARCH.test(type)
}

function declaredNames(definitions: readonly ToolDefinition[]): Pick<ChatTools, "functionNames" | "customNames"> {
  const functionNames = new Set<string>()
  const customNames = new Set<string>()
  for (const tool of definitions) {
    if (tool.type === "function") functionNames.add(tool.name)
    if (tool.type === "custom") customNames.add(tool.name)
  }
  return { functionNames, customNames: customNames.difference(functionNames) }
}

function decodeTool(tool: JsonObject, index: number): ToolDefinition | undefined {
  const stated = tool["type"] ?? inferType(tool)
  if (stated === undefined) return undefined
  // A type that is no text fits nothing and is refused as such.
  const type = typeof stated === "string" ? stated : ""
  if (isWebSearchType(type)) return { type: "web-search", options: webSearchOptions(tool) }
  switch (type) {
    case "function": {
      const nested = objectAt(tool, "function")
      return decodeFunction(nested ?? tool, `tools[${index}]${nested ? ".function" : ""}.name`)
    }
    case "custom":
      return decodeCustom(tool, index)
    case "image_generation": {
      const { type: _, ...options } = tool
      return { type: "image-generation", options }
    }
    default:
      throw invalidRequest(
        "This tool type is not supported on the chat endpoint; use function tools, or the Responses endpoint.",
        `tools[${index}].type`,
        "unsupported_tool",
      )
  }
}

/** Some clients leave `type` out; a function object or a name shows what was meant. */
function inferType(tool: JsonObject): "function" | undefined {
  return objectAt(tool, "function") !== undefined || stringAt(tool, "name") ? "function" : undefined
}

function decodeFunction(source: JsonObject, param: string): ToolDefinition {
  const strict = source["strict"]
  return {
    type: "function",
    name: requireName(source, param),
    ...defined({
      description: stringAt(source, "description"),
      parameters: objectAt(source, "parameters"),
      strict: typeof strict === "boolean" ? strict : undefined,
    }),
  }
}

function decodeCustom(tool: JsonObject, index: number): ToolDefinition {
  const nested = objectAt(tool, "custom")
  const source = nested ?? tool
  return {
    type: "custom",
    name: requireName(source, `tools[${index}]${nested ? ".custom" : ""}.name`),
    ...defined({ description: stringAt(source, "description"), format: flattenGrammar(objectAt(source, "format")) }),
  }
}

/** Chat nests a grammar one level deeper than Responses; without the lift the model gets a tool without grammar. */
function flattenGrammar(format: JsonObject | undefined): JsonObject | undefined {
  const grammar = format === undefined ? undefined : objectAt(format, "grammar")
  return grammar === undefined ? format : { type: "grammar", ...grammar }
}

function requireName(source: JsonObject, param: string): string {
  const name = stringAt(source, "name")
  if (name) return name
  throw invalidRequest(`Missing required parameter: '${param}'.`, param, "missing_required_parameter")
}

/** Keeps the options upstreams know; `user_location.approximate` is lifted to the flat form. */
function webSearchOptions(source: JsonObject): JsonObject {
  const location = objectAt(source, "user_location")
  const approximate = location === undefined ? undefined : objectAt(location, "approximate")
  return defined({
    search_context_size: stringAt(source, "search_context_size"),
    user_location: approximate === undefined ? location : { type: "approximate", ...approximate },
    filters: objectAt(source, "filters"),
  }) as JsonObject // `defined` has removed the only members that are not JSON.
}
