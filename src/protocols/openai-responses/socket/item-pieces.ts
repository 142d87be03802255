/** What an item says, told apart from how it is written: an item that a client sends back is the one the server sent. */

import { arrayAt, isJsonObject, type Json, type JsonObject, stringAt } from "#core/json.ts"

/**
 * Returns texts that are equal, one by one, for equal items. Left out is what gets lost or changes on the way through a
 * client without changing what the model reads: ids, states, phases, annotations, and the layout of arguments. Long texts
 * are handed on as they are: a conversation is gone through at every turn.
 */
export function itemPieces(item: JsonObject): readonly string[] {
  const type = stringAt(item, "type") ?? "message"
  switch (type) {
    case "message":
      return [type, textOf(item["role"]), ...partPieces(item["content"])]
    case "reasoning":
      return [type, textOf(item["encrypted_content"])]
    case "function_call":
      return [...callPieces(type, item), canonical(item["arguments"])]
    case "custom_tool_call":
      return [...callPieces(type, item), textOf(item["input"])]
    default:
      return [type, JSON.stringify(plain(item))]
  }
}

function callPieces(type: string, item: JsonObject): readonly string[] {
  return [type, textOf(item["call_id"]), textOf(item["name"]), textOf(item["namespace"])]
}

function partPieces(content: Json | undefined): readonly string[] {
  if (!Array.isArray(content)) return [textOf(content)]
  const parts: readonly Json[] = content
  return parts.flatMap(part => {
    const text = isJsonObject(part) ? part["text"] : undefined
    if (!isJsonObject(part) || typeof text !== "string") return ["part", JSON.stringify(part)]
    return [textOf(part["type"]), text]
  })
}

/** What is no string is told apart from every string by its mark. */
function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : `\u0000${JSON.stringify(value ?? null)}`
}

/** Clients that keep arguments as objects write them down anew. */
function canonical(source: Json | undefined): string {
  if (typeof source !== "string") return textOf(source)
  try {
    return JSON.stringify(JSON.parse(source))
  } catch {
    // Arguments of a call that was cut off are no JSON; then only the same text is the same.
    return source
  }
}

function plain({ id: _, status: __, ...rest }: JsonObject): JsonObject {
  return rest
}

/** The items of a body. */
export function inputItemsOf(body: JsonObject): readonly JsonObject[] {
  return (arrayAt(body, "input") ?? []).filter(isJsonObject)
}
