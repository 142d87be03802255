/** Writes Server-Sent Events. */

/** A named event. `data` must hold no line break, which JSON text never does. */
export function sseEvent(event: string, data: string): string {
  return `event: ${event}\ndata: ${data}\n\n`
}

/** An unnamed event. `data` must hold no line break. */
export function sseData(data: string): string {
  return `data: ${data}\n\n`
}

/**
 * Joins pieces that will be written again and again. A sum of strings stays a tree that is walked at every use; this
 * is one flat string, which halves the cost of writing a chunk.
 */
export function preparePrefix(...pieces: readonly string[]): string {
  return pieces.join("")
}

/** A comment: keeps a silent connection open without being an event. */
export const SSE_KEEP_ALIVE_COMMENT = ": keepalive\n\n"
