/** Tells an event stream from a JSON or HTML body by its first character. */

/** `undecided` until something other than blanks and a byte order mark has come. */
export type BodyKind = "undecided" | "events" | "json" | "html"

/** The UTF-8 byte order mark in byte text. In decoded text it is one unit that counts as a blank. */
const BYTE_ORDER_MARK = "\u00EF\u00BB\u00BF"

/** Returns what a body that begins with `head` is; works on decoded text and on byte text. */
export function bodyKindOf(head: string): BodyKind {
  const marked = head.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0
  const start = skipBlanks(head, marked)
  if (head.length - start < BYTE_ORDER_MARK.length && BYTE_ORDER_MARK.startsWith(head.slice(start))) return "undecided"
  const first = head.charAt(start)
  if (first === "{" || first === "[") return "json"
  return first === "<" ? "html" : "events"
}

/** Trimming would copy the whole head, which may be megabytes. */
function skipBlanks(text: string, start: number): number {
  let at = start
  while (at < text.length && text.charAt(at).trim() === "") at++
  return at
}
