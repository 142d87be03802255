/** `tools` and `toolConfig` → neutral tools and choice. */

import { isJsonObject, type JsonObject } from "#core/json.ts"
import type { ToolChoice, ToolDefinition } from "#core/request.ts"
import { invalidRequest } from "#protocols/check-body.ts"
import { defined } from "#protocols/defined.ts"

import { member, objectMember, objectsMember, stringMember, stringsMember } from "./members.ts"
import { plainSchema } from "./plain-schema.ts"

/** Hosted tools that a web search stands for. */
const SEARCHES = ["googleSearch", "googleSearchRetrieval", "enterpriseWebSearch", "urlContext"] as const

/** Hosted tools that nothing here stands for. */
const UNSERVED = ["googleMaps", "fileSearch", "retrieval", "computerUse", "mcpServers"] as const

/** Reads the tools. Throws `invalid-request` when only such are wanted that are not served. */
export function decodeTools(body: JsonObject): readonly ToolDefinition[] {
  const declared = objectsMember(body, "tools")
  const tools: ToolDefinition[] = []
  const names = new Set<string>()
  for (const tool of declared) {
    for (const declaration of objectsMember(tool, "functionDeclarations")) {
      const definition = decodeFunction(declaration)
      if (names.has(definition.name)) continue
      names.add(definition.name)
      tools.push(definition)
    }
  }
  if (declared.some(tool => SEARCHES.some(name => member(tool, name) !== undefined))) {
    tools.push({ type: "web-search", options: {} })
  }
  const unserved = UNSERVED.find(name => declared.some(tool => member(tool, name) !== undefined))
  if (tools.length > 0 || unserved === undefined) return tools
  throw invalidRequest(`The tool '${unserved}' is not served here.`, "tools", "unsupported_tool")
}

function decodeFunction(declaration: JsonObject): Extract<ToolDefinition, { type: "function" }> {
  const name = stringMember(declaration, "name")
  if (!name) {
    throw invalidRequest("A function declaration needs a 'name'.", "tools", "missing_required_parameter")
  }
  const schema = objectMember(declaration, "parametersJsonSchema") ?? objectMember(declaration, "parameters")
  return {
    type: "function",
    name,
    strict: false,
    ...defined({
      description: stringMember(declaration, "description"),
      parameters: schema === undefined ? undefined : plainSchema(schema),
    }),
  }
}

/** Reads which tools may be called. Throws `invalid-request` when none of the allowed ones is declared. */
export function decodeToolChoice(body: JsonObject, tools: readonly ToolDefinition[]): ToolChoice | undefined {
  const config = objectMember(objectMember(body, "toolConfig") ?? {}, "functionCallingConfig")
  if (tools.length === 0 || !isJsonObject(config)) return undefined
  const mode = stringMember(config, "mode")?.toUpperCase()
  if (mode === "NONE") return { type: "none" }
  if (mode !== "ANY" && mode !== "VALIDATED") return { type: "auto" }
  const wanted = stringsMember(config, "allowedFunctionNames")
  if (wanted.length === 0) return { type: mode === "ANY" ? "required" : "auto" }
  return chooseAmong(wanted, mode, tools)
}

function chooseAmong(
  wanted: readonly string[],
  mode: "ANY" | "VALIDATED",
  tools: readonly ToolDefinition[],
): ToolChoice {
  const declared = new Set(tools.flatMap(tool => (tool.type === "function" ? [tool.name] : [])))
  const allowed = [...new Set(wanted)].filter(name => declared.has(name))
  const [first] = allowed
  if (first === undefined) {
    const param = "toolConfig.functionCallingConfig.allowedFunctionNames"
    throw invalidRequest(`None of '${param}' is declared in 'tools'.`, param, "unknown_function")
  }
  if (mode === "ANY" && allowed.length === 1) return { type: "tool", kind: "function", name: first }
  return {
    type: "allowed",
    mode: mode === "ANY" ? "required" : "auto",
    tools: allowed.map(name => ({ kind: "function", name })),
  }
}
