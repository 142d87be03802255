/** The six delta events that make up almost all of a stream, read without parsing them. */

import type { JsonText } from "#core/json.ts"
import { sliceLiteral } from "#wire/json-literal.ts"
import { type MemberScanner, makeMemberScanner } from "#wire/member-scanner.ts"

/** What a delta belongs to. */
export type DeltaChannel = "text" | "refusal" | "summary" | "reasoning" | "arguments" | "custom-input"

/** One delta: which item and part it extends, and its literal. `outputIndex` is -1 when the event has none. */
export type Delta = {
  readonly channel: DeltaChannel
  readonly outputIndex: number
  /** `summary_index` or `content_index`, 0 when absent. */
  readonly part: number
  readonly itemId: string | undefined
  readonly literal: JsonText
}

/** Event type to channel. */
export const DELTA_CHANNELS: ReadonlyMap<string, DeltaChannel> = new Map<string, DeltaChannel>([
  ["response.output_text.delta", "text"],
  ["response.function_call_arguments.delta", "arguments"],
  ["response.reasoning_summary_text.delta", "summary"],
  ["response.custom_tool_call_input.delta", "custom-input"],
  ["response.reasoning_text.delta", "reasoning"],
  ["response.refusal.delta", "refusal"],
])

/** Returns the delta that `text.slice(start, end)` is, or undefined: then it has to be parsed. */
export type ReadDelta = (text: string, start: number, end: number) => Delta | undefined

const KEYS = ["type", "delta", "output_index", "item_id", "summary_index", "content_index"] as const
const TYPE = 0
const DELTA = 1
const OUTPUT_INDEX = 2
const ITEM_ID = 3
const SUMMARY_INDEX = 4
const CONTENT_INDEX = 5

type Kind = { readonly typeLiteral: string; readonly channel: DeltaChannel }

const KINDS: readonly Kind[] = [...DELTA_CHANNELS].map(([type, channel]) => ({ typeLiteral: `"${type}"`, channel }))

/** Makes a reader for one stream. */
export function makeDeltaReader(): ReadDelta {
  const scanner = makeMemberScanner(KEYS)
  let recent: Kind | undefined
  return (text, start, end) => {
    if (!scanner.scan(text, start, end)) return undefined
    // Deltas come in runs of one kind.
    const kind = recent !== undefined && isType(scanner, text, recent) ? recent : findKind(scanner, text)
    if (kind === undefined) return undefined
    recent = kind
    const literal = sliceLiteral(text, scanner.start(DELTA), scanner.end(DELTA))
    const outputIndex = readIndex(scanner, text, OUTPUT_INDEX, -1)
    const part = readIndex(scanner, text, kind.channel === "summary" ? SUMMARY_INDEX : CONTENT_INDEX, 0)
    if (literal === undefined || outputIndex === undefined || part === undefined) return undefined
    const itemId = outputIndex === -1 ? readId(scanner, text) : undefined
    return { channel: kind.channel, outputIndex, part, itemId, literal }
  }
}

function findKind(scanner: MemberScanner, text: string): Kind | undefined {
  return KINDS.find(kind => isType(scanner, text, kind))
}

function isType(scanner: MemberScanner, text: string, { typeLiteral }: Kind): boolean {
  const start = scanner.start(TYPE)
  return scanner.end(TYPE) - start === typeLiteral.length && text.startsWith(typeLiteral, start)
}

/** Reads a small non-negative integer; undefined when the value is something else. */
function readIndex(scanner: MemberScanner, text: string, key: number, absent: number): number | undefined {
  const start = scanner.start(key)
  if (start === -1) return absent
  let value = 0
  for (let at = start; at < scanner.end(key); at++) {
    const digit = text.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return value
}

function readId(scanner: MemberScanner, text: string): string | undefined {
  const start = scanner.start(ITEM_ID)
  if (start === -1) return undefined
  const literal = sliceLiteral(text, start, scanner.end(ITEM_ID))
  // Ids are plain ASCII; one with an escape is simply not equal to any other.
  return literal?.slice(1, -1)
}
