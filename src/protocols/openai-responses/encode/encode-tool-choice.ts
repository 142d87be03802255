/** `tool_choice` of a draft → the flat form the upstream takes. */

import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"

import { currentToolType, type EncodedTools } from "./encode-tools.ts"
import { withoutKeys } from "./without-keys.ts"

/** Hosted tools that may be forced only while they are offered. */
const HOSTED_TYPES: ReadonlySet<string> = new Set(["web_search", "image_generation"])

/**
 * Returns the choice with names as the upstream knows them; undefined when there is nothing to choose any more
 * (a required call without tools, a hosted tool that had to be removed).
 */
export function encodeToolChoice(choice: Json | undefined, encoded: EncodedTools): Json | undefined {
  if (choice === undefined || choice === null) return undefined
  if (choice === "required") return encoded.tools.length === 0 ? undefined : choice
  if (!isJsonObject(choice)) return choice
  if (choice["type"] === "allowed_tools") return encodeAllowed(choice, encoded)
  return encodeNamed(choice, encoded)
}

function encodeAllowed(choice: JsonObject, encoded: EncodedTools): Json {
  const nested = objectAt(choice, "allowed_tools") ?? choice
  const tools = arrayAt(nested, "tools") ?? []
  const named = tools.map(tool => (isJsonObject(tool) ? encodeNamed(tool, encoded) : tool))
  return {
    type: "allowed_tools",
    mode: stringAt(nested, "mode") ?? "auto",
    tools: named.filter(tool => tool !== undefined),
  }
}

function encodeNamed(choice: JsonObject, encoded: EncodedTools): JsonObject | undefined {
  const type = currentToolType(stringAt(choice, "type") ?? "")
  if (HOSTED_TYPES.has(type)) return encoded.tools.some(tool => tool["type"] === type) ? { type } : undefined
  if (type !== "function" && type !== "custom") return choice
  const name = stringAt(objectAt(choice, type) ?? choice, "name")
  if (name === undefined) return choice
  const { tools, names } = encoded
  const own = findNamed(tools, name) ?? findNamed(tools, names.toUpstream(name))
  // The declaration decides the type, whatever envelope the client chose. What is declared elsewhere (in a namespace,
  // in `input`) is left to the upstream.
  return own === undefined
    ? { ...withoutKeys(choice, [type]), name }
    : { type: own["type"] ?? type, name: own["name"] ?? name }
}

function findNamed(tools: readonly JsonObject[], name: string): JsonObject | undefined {
  return tools.find(tool => (tool["type"] === "function" || tool["type"] === "custom") && tool["name"] === name)
}
