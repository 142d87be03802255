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

/** Makes an empty log. Literals are kept as they are and joined; they are read only when a `done` event asks. */
export function makePartLog(): PartLog {
  const bodies = new Map<number, string>()
  let current = -1
  let body = ""
  const bodyOf = (part: number) => (part === current ? body : (bodies.get(part) ?? ""))
  const textOf = (part: number) => readJsonText(literalOfBody(bodyOf(part)))
  return {
    append: (part, literal) => {
      if (part !== current) {
        if (current !== -1) bodies.set(current, body)
        body = bodies.get(part) ?? ""
        current = part
      }
      body += literalBody(literal)
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
