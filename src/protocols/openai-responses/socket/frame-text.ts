/** Frames of the WebSocket form of a stream: one JSON event each, without the lines of Server-Sent Events. */

import { parseJsonObject, stringAt } from "#core/json.ts"

/** How events begin on the wire. */
const TYPE_FIRST = '{"type":"'

/** Returns an event's type without parsing the usual form; undefined when the text is no object with a type. */
export function frameTypeOf(text: string): string | undefined {
  if (text.startsWith(TYPE_FIRST)) {
    const end = text.indexOf('"', TYPE_FIRST.length)
    const type = text.slice(TYPE_FIRST.length, end)
    if (end !== -1 && !type.includes("\\")) return type
  }
  const event = parseJsonObject(text)
  return event === undefined ? undefined : stringAt(event, "type")
}

/** Writes a frame as the server-sent event it would be over HTTP. */
export function sseOfFrame(type: string, text: string): string {
  // Line breaks of JSON stand between tokens only, where a blank does as well; in a data line they would end it.
  const isOneLine = !text.includes("\n") && !text.includes("\r")
  const data = isOneLine ? text : text.replaceAll(/[\r\n]+/g, " ")
  return `event: ${type}\ndata: ${data}\n\n`
}
