/** Opens, fills and closes content blocks one at a time, and remembers what the message has come to. */

import { type JsonText, jsonTextOf } from "#core/json.ts"

import type { DeltaKind, MessagesSink } from "./messages-sink.ts"
import type { OpenBlock } from "./open-block.ts"

/** The blocks of one message. */
export type BlockWriter = {
  readonly open: (block: OpenBlock) => void
  readonly delta: (kind: DeltaKind, literal: JsonText) => void
  readonly cite: (citation: string) => void
  readonly close: (cut?: "cut") => void
  /** Opens, fills with one text and closes. */
  readonly whole: (block: OpenBlock, kind?: DeltaKind, text?: string) => void
  readonly isOpen: () => boolean
  /** Blocks of each type that were opened, and length of what they were given, in characters. */
  readonly count: (type: OpenBlock["type"]) => number
  readonly writtenChars: () => number
}

/** Makes a writer for one message. */
export function makeBlockWriter(sink: MessagesSink): BlockWriter {
  const counts = new Map<OpenBlock["type"], number>()
  let next = 0
  let isOpen = false
  let written = 0
  const writer: BlockWriter = {
    open: block => {
      counts.set(block.type, (counts.get(block.type) ?? 0) + 1)
      isOpen = true
      sink.open(next, block)
    },
    delta: (kind, literal) => {
      // A signature is no output of the model's.
      if (kind !== "signature") written += literal.length
      sink.delta(next, kind, literal)
    },
    cite: citation => sink.cite(next, citation),
    close: cut => {
      isOpen = false
      sink.close(next, cut === "cut")
      next += 1
    },
    whole: (block, kind, text) => {
      writer.open(block)
      if (kind !== undefined && text !== undefined) writer.delta(kind, jsonTextOf(text))
      writer.close()
    },
    isOpen: () => isOpen,
    count: type => counts.get(type) ?? 0,
    writtenChars: () => written,
  }
  return writer
}
