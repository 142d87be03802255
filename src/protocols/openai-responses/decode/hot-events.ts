/** The six delta events that make up almost all of a stream, read without parsing them. */

import type { JsonText } from "#core/json.ts"
import { sliceLiteral } from "#wire/json-literal.ts"
import { type MemberScanner, makeMemberScanner } from "#wire/member-scanner.ts"
import { makeMemberTemplate } from "#wire/member-template.ts"

/** What a delta belongs to. */
export type DeltaChannel = "text" | "refusal" | "summary" | "reasoning" | "arguments" | "custom-input"

/** Which item and part a delta extends. Deltas of a run share one target object. */
export type DeltaTarget = {
  readonly channel: DeltaChannel
  /** -1 when the event has none. */
  readonly outputIndex: number
  /** `summary_index` or `content_index`, 0 when absent. */
  readonly part: number
  readonly itemId: string | undefined
}

/** One delta and its literal. */
export type Delta = { readonly target: DeltaTarget; readonly literal: JsonText }

/** Event type to channel. */
export const DELTA_CHANNELS: ReadonlyMap<string, DeltaChannel> = new Map<string, DeltaChannel>([
  ["response.output_text.delta", "text"],
  ["response.function_call_arguments.delta", "arguments"],
  ["response.reasoning_summary_text.delta", "summary"],
  ["response.custom_tool_call_input.delta", "custom-input"],
  ["response.reasoning_text.delta", "reasoning"],
  ["response.refusal.delta", "refusal"],
])

/** Where a frame and its data stand in a text; the frame's blank line follows at `end`. */
export type DeltaFrame = {
  readonly text: string
  readonly start: number
  readonly end: number
  readonly dataAt: number
}

/** Reads deltas without parsing them. */
export type DeltaReader = {
  /** Returns the delta a frame holds, or undefined: then the frame has to be parsed. */
  readonly read: (frame: DeltaFrame) => Delta | undefined
  /** Reads the delta whose frame begins at `start` when it looks like the one before; `next()` is where it ended. */
  readonly readLike: (text: string, start: number) => Delta | undefined
  readonly next: () => number
}

const KEYS = ["type", "delta", "output_index", "item_id", "summary_index", "content_index"] as const
const TYPE = 0
const DELTA = 1
const OUTPUT_INDEX = 2
const ITEM_ID = 3
const SUMMARY_INDEX = 4
const CONTENT_INDEX = 5

const PINNED = [TYPE, OUTPUT_INDEX, SUMMARY_INDEX, CONTENT_INDEX]
const PINNED_WITH_ID = [...PINNED, ITEM_ID]

/** In deltas that were recognised. A stream may open a few items before its first run. */
const MAX_CREDIT = 32
const LEARNING_COST = 4

/**
 * Makes a reader for one stream. Events that differ from the one before in nothing but the delta and unknown values
 * share its target; any other event is scanned member by member.
 */
export function makeDeltaReader(): DeltaReader {
  const scanner = makeMemberScanner(KEYS)
  const template = makeMemberTemplate()
  let learned: DeltaTarget | undefined
  let next = -1
  // Learning costs several scans. Where events of different items alternate it would never pay.
  let credit = MAX_CREDIT
  return {
    next: () => next,
    readLike: (text, start) => {
      next = learned === undefined ? -1 : template.match(text, start)
      if (learned === undefined || next === -1) return undefined
      if (credit < MAX_CREDIT) credit++
      const literal = sliceLiteral(text, template.start(), template.end())
      return literal === undefined ? undefined : { target: learned, literal }
    },
    read: ({ text, start, end, dataAt }) => {
      if (!scanner.scan(text, dataAt, end)) return undefined
      const target = readTarget(scanner, text)
      const literal = sliceLiteral(text, scanner.start(DELTA), scanner.end(DELTA))
      if (target === undefined || literal === undefined) return undefined
      if (credit >= LEARNING_COST) {
        credit -= LEARNING_COST
        learned = target
        const pinned = pinnedKeys(target).map(scanner.start)
        const values = scanner.values()
        template.learn({ text, start, end: end + 2, values, watched: scanner.start(DELTA), pinned })
      }
      return { target, literal }
    },
  }
}

/** The keys a target was read from. An item's id counts only where there is no index: it may change with every event. */
function pinnedKeys({ outputIndex }: DeltaTarget): readonly number[] {
  return outputIndex === -1 ? PINNED_WITH_ID : PINNED
}

function readTarget(scanner: MemberScanner, text: string): DeltaTarget | undefined {
  const type = readPlainString(scanner, text, TYPE)
  const channel = type === undefined ? undefined : DELTA_CHANNELS.get(type)
  if (channel === undefined) return undefined
  const outputIndex = readIndex(scanner, text, OUTPUT_INDEX, -1)
  const part = readIndex(scanner, text, channel === "summary" ? SUMMARY_INDEX : CONTENT_INDEX, 0)
  if (outputIndex === undefined || part === undefined) return undefined
  return { channel, outputIndex, part, itemId: readPlainString(scanner, text, ITEM_ID) }
}

/** Reads a small non-negative integer; undefined when the value is something else. */
function readIndex(scanner: MemberScanner, text: string, key: number, absent: number): number | undefined {
  const start = scanner.start(key)
  if (start === -1) return absent
  const value = text.slice(start, scanner.end(key))
  return /^\d{1,9}$/.test(value) ? Number(value) : undefined
}

/** Ids and types are plain ASCII: one with an escape is not equal to any other, which is all that matters. */
function readPlainString(scanner: MemberScanner, text: string, key: number): string | undefined {
  const literal = sliceLiteral(text, scanner.start(key), scanner.end(key))
  return literal?.slice(1, -1)
}
