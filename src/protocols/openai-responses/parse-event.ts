/** Parses the data of one event. */

import { isJsonObject, type JsonObject } from "#core/json.ts"

/** Returns the event object, or undefined for what is no JSON object (`[DONE]`, cut frames): such frames are skipped. */
export function parseEvent(data: string): JsonObject | undefined {
  if (!data.startsWith("{")) return parseLoose(data)
  try {
    const event: unknown = JSON.parse(data)
    return isJsonObject(event) ? event : undefined
  } catch {
    // An unreadable frame never ends an answer: a later one may hold all of it.
    return undefined
  }
}

/** Leading blanks are legal in JSON and rare on this wire. */
function parseLoose(data: string): JsonObject | undefined {
  const trimmed = data.trimStart()
  return trimmed.startsWith("{") ? parseEvent(trimmed) : undefined
}
