/** Parses the data of one event. */

import { isJsonObject, type JsonObject, stringAt } from "#core/json.ts"
import { readSseFrame } from "#wire/sse-splitter.ts"

/** A parsed event. `type` is the object's own; the name of the event stands in when it has none. */
export type ParsedEvent = { readonly type: string; readonly json: JsonObject; readonly data: string }

/**
 * Parses one frame, or returns undefined for what is no JSON object: such frames are skipped. `dataAt` counts from the
 * start of the frame; negative when the frame has to be read field by field.
 */
export function parseFrame(frame: string, dataAt: number): ParsedEvent | undefined {
  const data = dataAt < 0 ? readSseFrame(frame).data : frame.slice(dataAt)
  const json = parseEvent(data)
  return json === undefined ? undefined : { type: stringAt(json, "type") ?? readSseFrame(frame).event, json, data }
}

/** Returns the event object, or undefined for what is no JSON object (`[DONE]`, cut frames). */
export function parseEvent(data: string): JsonObject | undefined {
  try {
    const event: unknown = JSON.parse(data)
    return isJsonObject(event) ? event : undefined
  } catch {
    // An unreadable frame never ends an answer: a later one may hold all of it.
    return undefined
  }
}
