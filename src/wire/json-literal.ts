/** Works on JSON string literals as they stand on the wire, without decoding them. */

import { type JsonText, readJsonText } from "#core/json.ts"

const QUOTE = 34
const BACKSLASH = 92
const LETTER_U = 117
/** Characters that may follow a backslash, besides `u` (RFC 8259 §7). */
const SIMPLE_ESCAPES = '"\\/bfnrt'

/** The empty literal, `""`. */
const EMPTY_LITERAL_LENGTH = 2

/**
 * Returns `text.slice(start, end)` as a literal when it is a valid JSON string literal, otherwise undefined.
 * The check is what `JSON.parse` would do: an upstream that writes a raw control character must not reach a client.
 */
export function sliceLiteral(text: string, start: number, end: number): JsonText | undefined {
  if (end - start < EMPTY_LITERAL_LENGTH || text.charCodeAt(start) !== QUOTE) return undefined
  let at = start + 1
  const last = end - 1
  while (at < last) {
    const unit = text.charCodeAt(at)
    if (unit < 32 || unit === QUOTE) return undefined
    at = unit === BACKSLASH ? skipEscape(text, at) : at + 1
    if (at === -1) return undefined
  }
  if (at !== last || text.charCodeAt(last) !== QUOTE) return undefined
  // Checked unit by unit above.
  return text.slice(start, end) as JsonText
}

function skipEscape(text: string, backslash: number): number {
  if (text.charCodeAt(backslash + 1) !== LETTER_U) {
    return SIMPLE_ESCAPES.includes(text.charAt(backslash + 1)) ? backslash + 2 : -1
  }
  for (let digit = 2; digit < 6; digit++) {
    if (!isHexDigit(text.charCodeAt(backslash + digit))) return -1
  }
  return backslash + 6
}

function isHexDigit(unit: number): boolean {
  return (unit >= 48 && unit <= 57) || (unit >= 65 && unit <= 70) || (unit >= 97 && unit <= 102)
}

/** What stands between the quotes. */
export function literalBody(literal: JsonText): string {
  return literal.slice(1, -1)
}

/** Puts quotes around bodies of literals that were joined: a join of literal bodies is a literal body. */
export function literalOfBody(body: string): JsonText {
  // Callers pass joined bodies only; each is valid by itself and no escape spans two of them.
  return `"${body}"` as JsonText
}

/** Length of the text in UTF-16 units; decodes only when an escape makes it necessary. */
export function literalTextLength(literal: JsonText): number {
  return literal.includes("\\") ? readJsonText(literal).length : literal.length - EMPTY_LITERAL_LENGTH
}
