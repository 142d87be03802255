/** `tools`, and tools added in the middle of a conversation → neutral tool definitions. */

import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { ToolDefinition } from "#core/request.ts"
import { invalidRequest } from "#protocols/check-body.ts"
import { defined } from "#protocols/defined.ts"
import { isStrictReady } from "#protocols/strict-schema.ts"

import { clientTool } from "./client-tools.ts"
import { plainSchema } from "./plain-schema.ts"

/** What Claude Code sends for tools it has not loaded yet; there is nothing to call. */
const PLACEHOLDER = "DeferredToolPlaceholder"

const WEB_SEARCH = /^web_search_\d+$/
/** Every tool is offered in full, so that there is nothing to search for; MCP servers are the client's to ask. */
const IGNORED = /^(tool_search_tool_|mcp_toolset$)/

/** Decodes every tool. Throws `invalid-request` that begins with the type of a tool nobody here can run. */
export function decodeTools(body: JsonObject): readonly ToolDefinition[] {
  const declared = (arrayAt(body, "tools") ?? []).filter(isJsonObject)
  const tools = withChanges(declared, arrayAt(body, "messages") ?? [])
  const definitions = tools.map(decodeTool).filter(tool => tool !== undefined)
  const needsServers = definitions.length === 0 && declared.some(tool => tool["type"] === "mcp_toolset")
  if (needsServers)
    throw invalidRequest(
      "MCP servers are not asked from here; connect them in the client.",
      "mcp_servers",
      "unsupported_parameter",
    )
  return definitions
}

/** Applies what the conversation adds and takes away, in its order. */
function withChanges(declared: readonly JsonObject[], messages: readonly Json[]): readonly JsonObject[] {
  const byName = new Map(declared.map((tool, index) => [stringAt(tool, "name") ?? `#${index}`, tool]))
  const blocks = messages.filter(isJsonObject).flatMap(message => arrayAt(message, "content") ?? [])
  for (const block of blocks.filter(isJsonObject)) {
    const change = objectAt(block, "tool") ?? {}
    const definition = objectAt(change, "definition")
    const name = stringAt(definition ?? change, "name") ?? ""
    if (block["type"] === "tool_addition" && definition !== undefined) byName.set(name, definition)
    if (block["type"] === "tool_removal") byName.delete(name)
  }
  return [...byName.values()]
}

function decodeTool(tool: JsonObject): ToolDefinition | undefined {
  const type = stringAt(tool, "type") ?? "custom"
  if (WEB_SEARCH.test(type)) return { type: "web-search", options: searchOptions(tool) }
  if (IGNORED.test(type) || isPlaceholder(tool)) return undefined
  const known = clientTool(type)
  if (known !== undefined) return { type: "function", name: nameOf(tool), ...known }
  // A typed tool that brings its schema is as good as one of the client's own.
  if (type === "custom" || objectAt(tool, "input_schema") !== undefined) return decodeCustom(tool)
  throw invalidRequest(
    `Input tag '${type}' found using 'type' is not served here; remove the tool.`,
    "tools",
    "unsupported_tool",
  )
}

function isPlaceholder(tool: JsonObject): boolean {
  return tool["defer_loading"] === true && tool["name"] === PLACEHOLDER
}

function decodeCustom(tool: JsonObject): ToolDefinition {
  const schema = objectAt(tool, "input_schema")
  const parameters = schema === undefined ? undefined : plainSchema(schema)
  const strict = tool["strict"] === true && parameters !== undefined && isStrictReady(parameters)
  return {
    type: "function",
    name: nameOf(tool),
    description: stringAt(tool, "description") ?? "",
    ...defined({ parameters }),
    strict,
  }
}

function nameOf(tool: JsonObject): string {
  const name = stringAt(tool, "name")
  if (name) return name
  throw invalidRequest("Missing required parameter: 'tools.name'.", "tools", "missing_required_parameter")
}

function searchOptions(tool: JsonObject): JsonObject {
  const domains = arrayAt(tool, "allowed_domains") ?? []
  const location = objectAt(tool, "user_location")
  const known = location === undefined ? [] : Object.entries(location).filter(([, value]) => value !== null)
  return {
    ...(domains.length > 0 && { filters: { allowed_domains: domains } }),
    ...(known.length > 0 && { user_location: { type: "approximate", ...Object.fromEntries(known) } }),
  }
}
