/** Chat `tool_choice` and legacy `function_call` → neutral tool choice. */

import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { ToolChoice } from "#core/request.ts"
import { invalidRequest } from "#protocols/check-body.ts"

import { type ChatTools, isWebSearchType } from "./decode-tools.ts"

type NamedTool = Extract<ToolChoice, { type: "allowed" }>["tools"][number]

/** Returns undefined when the client left the choice open. Throws `invalid-request` for undeclared tools. */
export function decodeChatToolChoice(body: JsonObject, tools: ChatTools): ToolChoice | undefined {
  const choice = body["tool_choice"]
  if (choice !== undefined) return decodeChoice(choice, tools)
  const legacy = body["function_call"]
  if (legacy === undefined) return undefined
  if (legacy === "auto" || legacy === "none") return { type: legacy }
  if (isJsonObject(legacy)) return { type: "tool", ...namedTool(legacy, tools, "function_call") }
  throw refused("function_call")
}

function decodeChoice(choice: Json, tools: ChatTools): ToolChoice {
  if (choice === "auto" || choice === "none" || choice === "required") return { type: choice }
  if (!isJsonObject(choice)) throw refused("tool_choice")
  const type = choice["type"]
  if (type === "function" || type === "custom") return { type: "tool", ...namedTool(choice, tools, "tool_choice") }
  if (type === "allowed_tools") return decodeAllowed(objectAt(choice, "allowed_tools") ?? choice, tools)
  if (isWebSearchType(type)) return hostedTool("web_search", tools)
  if (type === "image_generation") return hostedTool("image_generation", tools)
  throw refused("tool_choice")
}

function hostedTool(name: "web_search" | "image_generation", tools: ChatTools): ToolChoice {
  const wanted = name === "web_search" ? "web-search" : "image-generation"
  if (!tools.definitions.some(tool => tool.type === wanted)) throw undeclared("tool_choice", name)
  return { type: "hosted", name }
}

function decodeAllowed(allowed: JsonObject, tools: ChatTools): ToolChoice {
  const entries = arrayAt(allowed, "tools") ?? []
  return {
    type: "allowed",
    mode: allowed["mode"] === "required" ? "required" : "auto",
    tools: entries.map(entry => {
      if (!isJsonObject(entry)) throw refused("tool_choice")
      return namedTool(entry, tools, "tool_choice")
    }),
  }
}

/** The declaration decides the kind, whatever envelope the client chose. */
function namedTool(source: JsonObject, tools: ChatTools, param: string): NamedTool {
  const nested = objectAt(source, "function") ?? objectAt(source, "custom") ?? source
  const name = stringAt(nested, "name")
  if (name === undefined) throw refused(param)
  if (tools.functionNames.has(name)) return { kind: "function", name }
  if (tools.customNames.has(name)) return { kind: "custom", name }
  throw undeclared(param, name)
}

function undeclared(param: string, name: string) {
  return invalidRequest(`'${param}' names a tool that 'tools' does not declare: '${name}'.`, param, "invalid_value")
}

function refused(param: string) {
  return invalidRequest(`The value of '${param}' is not supported.`, param, "invalid_value")
}
