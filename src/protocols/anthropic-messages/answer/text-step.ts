/** A message on its way into a text block. */

import type { UrlCitation } from "#core/events.ts"
import { type JsonText, readJsonText } from "#core/json.ts"
import { literalBody, literalOfBody } from "#wire/json-literal.ts"

import type { BlockWriter } from "./block-writer.ts"
import { citationText } from "./search-blocks.ts"

/** The messages of one answer, one after the other. */
export type TextStep = {
  readonly start: () => void
  readonly delta: (literal: JsonText) => void
  readonly cite: (citation: UrlCitation) => void
  readonly end: () => void
  /** A block of its own for a text that no message holds. */
  readonly whole: (text?: string) => void
}

/** Makes the step; a message without text gets no block, for it opens with its first words. */
export function makeTextStep(writer: BlockWriter): TextStep {
  /** The open message's text so far: needed whole only for a citation. */
  let literals: JsonText[] = []
  // Citations may follow once the answer has searched.
  const block = () => ({ type: "text", cites: writer.count("server_tool_use") > 0 }) as const
  return {
    start: () => {
      literals = []
    },
    delta: literal => {
      if (!writer.isOpen()) writer.open(block())
      literals.push(literal)
      writer.delta("text", literal)
    },
    cite: citation => {
      if (!writer.isOpen()) return
      writer.cite(citationText(citation, readJsonText(literalOfBody(literals.map(literalBody).join("")))))
    },
    end: () => {
      if (writer.isOpen()) writer.close()
    },
    whole: text => writer.whole(block(), "text", text),
  }
}
