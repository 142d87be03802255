/** Writes Server-Sent Events. */

/** A named event. `data` must hold no line break, which JSON text never does. */
export function sseEvent(event: string, data: string): string {
  return `event: ${event}\ndata: ${data}\n\n`
}

/** An unnamed event. `data` must hold no line break. */
export function sseData(data: string): string {
  return `data: ${data}\n\n`
}

/** A comment: keeps a silent connection open without being an event. */
export const SSE_KEEP_ALIVE_COMMENT = ": keepalive\n\n"

/** Response headers of a stream: nothing on the way may cache, buffer or transform it. */
export const SSE_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache",
  "x-accel-buffering": "no",
}
