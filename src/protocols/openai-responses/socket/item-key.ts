/** What an item says, told apart from how it is written: an item that a client sends back is the one the server sent. */

import { arrayAt, isJsonObject, type Json, type JsonObject, stringAt } from "#core/json.ts"

/**
 * Returns a text that is equal for equal items. Left out is what gets lost or changes on the way through a client without
 * changing what the model reads: ids, states, phases, annotations, and the layout of arguments.
 */
export function itemKey(item: JsonObject): string {
  const type = stringAt(item, "type") ?? "message"
  switch (type) {
    case "message":
      return JSON.stringify([type, item["role"] ?? null, partKeys(item["content"])])
    case "reasoning":
      return JSON.stringify([type, item["encrypted_content"] ?? null])
    case "function_call":
      return JSON.stringify([...callKey(type, item), canonical(item["arguments"])])
    case "custom_tool_call":
      return JSON.stringify([...callKey(type, item), item["input"] ?? null])
    default:
      return JSON.stringify(plain(item))
  }
}

function callKey(type: string, item: JsonObject): readonly Json[] {
  return [type, item["call_id"] ?? null, item["name"] ?? null, item["namespace"] ?? null]
}

function partKeys(content: Json | undefined): Json {
  if (!Array.isArray(content)) return content ?? null
  const parts: readonly Json[] = content
  return parts.map(part => {
    if (!isJsonObject(part)) return part
    const text = part["text"]
    if (typeof text === "string") return [part["type"] ?? null, text]
    return plain(part)
  })
}

/** Clients that keep arguments as objects write them down anew. */
function canonical(source: Json | undefined): Json {
  if (typeof source !== "string") return source ?? null
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
