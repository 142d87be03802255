/** Parses the data of one event. */

import { type JsonObject, parseJsonObject, stringAt } from "#core/json.ts"
import { readSseFrame } from "#wire/sse-splitter.ts"

/** A parsed event. `type` is the object's own; the name of the event stands in when it has none. */
export type ParsedEvent = { readonly type: string; readonly json: JsonObject; readonly data: string }

/**
 * Parses one frame, or returns undefined for what is no JSON object (`[DONE]`, cut frames). Such frames are skipped and
 * never end an answer: a later one may hold all of it. `dataAt` counts from the start of the frame; negative when the
 * frame has to be read field by field.
 */
export function parseFrame(frame: string, dataAt: number): ParsedEvent | undefined {
  const data = dataAt < 0 ? readSseFrame(frame).data : frame.slice(dataAt)
  const json = parseJsonObject(data)
  return json === undefined ? undefined : { type: stringAt(json, "type") ?? readSseFrame(frame).event, json, data }
}
