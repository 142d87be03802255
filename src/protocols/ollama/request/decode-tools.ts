/** `tools` → neutral tools. */

import { arrayAt, isJsonObject, type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { ToolDefinition } from "#core/request.ts"
import { invalidRequest } from "#protocols/check-body.ts"
import { defined } from "#protocols/defined.ts"

/** Reads the functions, nested or flat; of two with one name the first counts. Throws `invalid-request` for nameless ones. */
export function decodeTools(body: JsonObject): readonly ToolDefinition[] {
  const byName = new Map<string, ToolDefinition>()
  for (const [index, tool] of (arrayAt(body, "tools") ?? []).entries()) {
    if (!isJsonObject(tool)) continue
    const source = objectAt(tool, "function") ?? tool
    const name = stringAt(source, "name")
    const param = `tools[${index}].function.name`
    if (!name) throw invalidRequest(`Missing required parameter: '${param}'.`, param, "missing_required_parameter")
    if (!byName.has(name)) byName.set(name, definitionOf(name, source))
  }
  return [...byName.values()]
}

function definitionOf(name: string, source: JsonObject): ToolDefinition {
  return {
    type: "function",
    name,
    strict: false,
    ...defined({ description: stringAt(source, "description"), parameters: objectAt(source, "parameters") }),
  }
}
