/** Cuts long texts: some clients read no line of more than 64 KiB. */

import { type JsonText, jsonTextOf, readJsonText } from "#core/json.ts"
import { safeCut } from "#protocols/visible-text.ts"

/** A character is at most three bytes, or six when it is escaped: with what surrounds it either stays under 64 KiB. */
const LONGEST_LITERAL = 20_000
const PIECE_CHARS = 10_000

/** Returns the literal itself, or literals of its pieces. */
export function splitLiteral(literal: JsonText): readonly JsonText[] {
  if (literal.length <= LONGEST_LITERAL) return [literal]
  const text = readJsonText(literal)
  const pieces: JsonText[] = []
  for (let at = 0; at < text.length; ) {
    const end = at + PIECE_CHARS >= text.length ? text.length : safeCut(text, at + PIECE_CHARS)
    pieces.push(jsonTextOf(text.slice(at, end)))
    at = end
  }
  return pieces
}
