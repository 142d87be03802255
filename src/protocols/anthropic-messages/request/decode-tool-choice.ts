/** `tool_choice` → neutral tool choice and whether calls may run in parallel. */

import { type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { NeutralBody, ToolChoice, ToolDefinition } from "#core/request.ts"
import { invalidRequest } from "#protocols/check-body.ts"
import { defined } from "#protocols/defined.ts"

/** Name under which the hosted search is forced. */
const WEB_SEARCH = "web_search"

/** Throws `invalid-request` for a tool that is not declared. Without tools there is nothing to choose. */
export function decodeToolChoice(
  body: JsonObject,
  tools: readonly ToolDefinition[],
): Pick<NeutralBody, "toolChoice" | "parallelToolCalls"> {
  const choice = objectAt(body, "tool_choice")
  if (tools.length === 0) return {}
  return {
    ...defined({ toolChoice: choice === undefined ? undefined : decodeChoice(choice, tools) }),
    parallelToolCalls: choice?.["disable_parallel_tool_use"] !== true,
  }
}

function decodeChoice(choice: JsonObject, tools: readonly ToolDefinition[]): ToolChoice | undefined {
  switch (stringAt(choice, "type") ?? "") {
    case "auto":
      return { type: "auto" }
    case "any":
      return { type: "required" }
    case "none":
      return { type: "none" }
    case "tool":
      return namedTool(stringAt(choice, "name") ?? "", tools)
    default:
      throw invalidRequest(
        "'tool_choice.type' must be 'auto', 'any', 'tool' or 'none'.",
        "tool_choice",
        "invalid_value",
      )
  }
}

function namedTool(name: string, tools: readonly ToolDefinition[]): ToolChoice | undefined {
  if (tools.some(tool => tool.type === "function" && tool.name === name)) {
    return { type: "tool", kind: "function", name }
  }
  // A search that is not on offer cannot be forced: the upstream fails over it instead of ignoring it.
  if (name === WEB_SEARCH) return tools.some(tool => tool.type === "web-search") ? { type: "hosted", name } : undefined
  throw invalidRequest(
    `'tool_choice' names a tool that 'tools' does not declare: '${name}'.`,
    "tool_choice",
    "invalid_value",
  )
}
