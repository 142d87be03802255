/** Writes server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), with the quirks a reader must bear. */

import { type JsonObject, stringAt } from "#core/json.ts"
import type { Settings } from "#simulator/scripts/settings.ts"

/** How frames are written. */
export type SseStyle = Pick<Settings, "crlf" | "eventLines" | "keepAlive">

/** Returns one frame, with what stands before it to keep the connection alive. */
export function sseFrame(event: JsonObject, style: SseStyle): string {
  const frame = `${eventLine(event, style)}data: ${JSON.stringify(event)}\n\n`
  const text = keepAlive(style) + frame
  return style.crlf ? text.replaceAll("\n", "\r\n") : text
}

function eventLine(event: JsonObject, style: SseStyle): string {
  return style.eventLines ? `event: ${stringAt(event, "type") ?? "message"}\n` : ""
}

function keepAlive(style: SseStyle): string {
  if (style.keepAlive === "comments") return ": keepalive\n\n"
  return style.keepAlive === "events" ? 'event: keepalive\ndata: {"type":"keepalive"}\n\n' : ""
}
