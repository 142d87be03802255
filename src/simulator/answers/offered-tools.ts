/** The tools a request offers, wherever they stand: top level, hidden in the input, inside a namespace. */

import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"

import { inputItems } from "./prompt.ts"

/** A tool the simulated model can call by name. */
export type OfferedTool = {
  readonly kind: "function" | "custom"
  readonly name: string
  readonly namespace?: string
  readonly parameters: JsonObject
}

/** Everything on offer: named tools, and the types of the hosted ones. */
export type OfferedTools = { readonly named: readonly OfferedTool[]; readonly hosted: ReadonlySet<string> }

/** Collects the tools of a request body. */
export function offeredTools(body: JsonObject): OfferedTools {
  const definitions = [...(arrayAt(body, "tools") ?? []), ...inputItems(body).flatMap(hiddenTools)].filter(isJsonObject)
  return {
    named: definitions.flatMap(tool => namedTools(tool, undefined)),
    hosted: new Set(definitions.map(tool => stringAt(tool, "type") ?? "")),
  }
}

/** Newer clients put their tools into an input item, and found tools arrive in a search output. */
function hiddenTools(item: JsonObject): readonly Json[] {
  const type = stringAt(item, "type")
  return type === "additional_tools" || type === "tool_search_output" ? (arrayAt(item, "tools") ?? []) : []
}

function namedTools(tool: JsonObject, namespace: string | undefined): readonly OfferedTool[] {
  const type = stringAt(tool, "type")
  const name = stringAt(tool, "name")
  if (type === "namespace") {
    return (arrayAt(tool, "tools") ?? []).filter(isJsonObject).flatMap(inner => namedTools(inner, name))
  }
  if (name === undefined || (type !== "function" && type !== "custom")) return []
  const parameters = objectAt(tool, "parameters") ?? {}
  return [{ kind: type, name, parameters, ...(namespace === undefined ? {} : { namespace }) }]
}
