/** Remembers what was sent of each part of an item, so that a `done` event adds only what is missing. */

import type { JsonText } from "#core/json.ts"
import { readJsonText } from "#core/json.ts"
import { literalBody, literalOfBody } from "#wire/json-literal.ts"

/** Keyed by part number; the numbers are the caller's. */
export type PartLog = {
  readonly append: (part: number, literal: JsonText) => void
  /** Returns the end of `full` that has not been appended yet; "" when nothing is missing or the texts differ. */
  readonly missing: (part: number, full: string) => string
  /** The text so far. */
  readonly text: (part: number) => string
  readonly isEmpty: () => boolean
}

/** Makes an empty log. Literals are kept as they are and joined only when a `done` event asks. */
export function makePartLog(): PartLog {
  const parts = new Map<number, JsonText[]>()
  let current = -1
  let literals: JsonText[] = []
  const textOf = (part: number) => readJsonText(joinLiterals(parts.get(part) ?? []))
  return {
    append: (part, literal) => {
      if (part !== current) {
        literals = parts.get(part) ?? []
        parts.set(part, literals)
        current = part
      }
      literals.push(literal)
    },
    missing: (part, full) => {
      const sent = textOf(part)
      // A text that differs from what was sent cannot be taken back; what was sent stands.
      return full.startsWith(sent) ? full.slice(sent.length) : ""
    },
    text: textOf,
    isEmpty: () => current === -1,
  }
}

function joinLiterals(literals: readonly JsonText[]): JsonText {
  return literalOfBody(literals.map(literalBody).join(""))
}
