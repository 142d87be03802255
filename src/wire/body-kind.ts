/** Tells an event stream from a JSON or HTML body by its first character. */

/** `undecided` until something other than blanks and a byte order mark has come. */
export type BodyKind = "undecided" | "events" | "json" | "html"

/** The UTF-8 byte order mark in byte text. In decoded text it is one unit that counts as a blank. */
const BYTE_ORDER_MARK = "\u00EF\u00BB\u00BF"

/** Returns what a body that begins with `head` is; works on decoded text and on byte text. */
export function bodyKindOf(head: string): BodyKind {
  const text = head.startsWith(BYTE_ORDER_MARK) ? head.slice(BYTE_ORDER_MARK.length).trimStart() : head.trimStart()
  if (BYTE_ORDER_MARK.startsWith(text)) return "undecided"
  const first = text.charAt(0)
  if (first === "{" || first === "[") return "json"
  return first === "<" ? "html" : "events"
}
