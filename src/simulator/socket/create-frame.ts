/** Reads a client's frame: what only exists on a WebSocket is taken off, the rest is checked like an HTTP body. */

import { arrayAt, isJsonObject, type JsonObject, parseJsonObject, stringAt } from "#core/json.ts"
import { detailRefusal, errorRefusal, type Refusal } from "#simulator/refusal.ts"

/** What a finished response leaves behind on its socket: the whole context of the next turn. */
export type Kept = ReadonlyMap<string, readonly JsonObject[]>

/** A turn as the model layer sees it. */
export type CreateFrame = {
  /** The body with the input in full. */
  readonly body: JsonObject
  /** The frame as it came, without `type`. */
  readonly sent: JsonObject
  /** `generate: false`: a response without any output, for the next turn to build on. */
  readonly isPrewarm: boolean
}

/** Reads a frame against what the socket keeps. */
export function readCreateFrame(text: string, kept: Kept): CreateFrame | { readonly refusal: Refusal } {
  const frame = parseJsonObject(text)
  if (frame === undefined) return { refusal: errorRefusal({ message: "The frame is not a JSON object." }) }
  const { type, generate, previous_response_id: previous, ...rest } = frame
  if (type !== "response.create") {
    return { refusal: errorRefusal({ message: `Unknown frame type: ${String(type)}.`, param: "type" }) }
  }
  if (generate !== undefined && typeof generate !== "boolean") {
    return { refusal: errorRefusal({ message: "Invalid type for 'generate'.", param: "generate" }) }
  }
  if ("background" in rest) return { refusal: detailRefusal("Unsupported parameter: background") }
  // One client leaves it out; a socket streams in any case.
  const body: JsonObject = { stream: true, ...rest }
  const sent: JsonObject = { ...rest, ...(previous !== undefined && { previous_response_id: previous }) }
  const isPrewarm = generate === false
  if (previous === undefined || previous === null) return { body, sent, isPrewarm }
  const before = kept.get(String(previous))
  if (before === undefined) return { refusal: notFound(String(previous)) }
  const added = (arrayAt(body, "input") ?? []).filter(isJsonObject)
  return { body: { ...body, input: [...before, ...added] }, sent, isPrewarm }
}

/** The terminal response's id, when the answer is one that a next turn may build on. */
export function completedId(event: JsonObject): string | undefined {
  const response = event["response"]
  return event["type"] === "response.completed" && isJsonObject(response) ? stringAt(response, "id") : undefined
}

function notFound(id: string): Refusal {
  return errorRefusal({
    message: `Previous response with id '${id}' not found.`,
    param: "previous_response_id",
    code: "previous_response_not_found",
  })
}
