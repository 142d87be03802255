/** Deltas read without parsing are the deltas a parser reads. */

import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import { readJsonText } from "#core/json.ts"
import { DELTA_CHANNELS, type Delta, makeDeltaReader } from "#protocols/openai-responses/decode/hot-events.ts"

type ReadFrame = (data: string) => Delta | undefined

/** Reads whole frames the way the decoder does: by likeness first. */
function makeFrameReader(): ReadFrame {
  const reader = makeDeltaReader()
  return data => {
    const text = `event: x\ndata: ${data}\n\n`
    return reader.readLike(text, 0) ?? reader.read({ text, start: 0, end: text.length - 2, dataAt: 15 })
  }
}

function expectSame(delta: Delta | undefined, event: Readonly<Record<string, unknown>>): void {
  if (delta === undefined) return
  const part = delta.target.channel === "summary" ? event["summary_index"] : event["content_index"]
  expect(readJsonText(delta.literal)).toBe(event["delta"] as string)
  expect(delta.target.channel).toBe(DELTA_CHANNELS.get(event["type"] as string) as never)
  expect(delta.target.outputIndex).toBe((event["output_index"] as number | undefined) ?? -1)
  expect(delta.target.part).toBe((part as number | undefined) ?? 0)
  if (event["output_index"] === undefined) expect(delta.target.itemId).toBe(event["item_id"] as string)
}

const text = fc.string({ unit: "binary", maxLength: 12 })
const index = fc.nat({ max: 3 })
const delta = fc.record(
  {
    type: fc.constantFrom(...DELTA_CHANNELS.keys()),
    delta: text,
    output_index: index,
    content_index: index,
    summary_index: index,
    item_id: fc.constantFrom("msg_1", "msg_2"),
    sequence_number: fc.nat(),
    logprobs: fc.constantFrom([], [{ delta: "nested" }]),
    obfuscation: text,
  },
  { requiredKeys: ["type", "delta", "item_id"] },
)
/** Events of one stream mostly have their keys in one order. */
const shuffled = fc.shuffledSubarray(
  [
    "type",
    "delta",
    "output_index",
    "content_index",
    "summary_index",
    "item_id",
    "sequence_number",
    "logprobs",
    "obfuscation",
  ],
  { minLength: 9 },
)

function inOrder(event: Readonly<Record<string, unknown>>, order: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(order.filter(key => key in event).map(key => [key, event[key]]))
}

describe("a stream of deltas", () => {
  test("is read alike by the scanner, the template and a parser", () => {
    fc.assert(
      fc.property(fc.array(delta, { minLength: 1, maxLength: 12 }), shuffled, (events, order) => {
        const read = makeFrameReader()
        for (const event of events) expectSame(read(JSON.stringify(inOrder(event, order))), event)
      }),
      { numRuns: 500 },
    )
  })

  test("is never left to the parser when its events are flat and compact", () => {
    const flat = delta.map(event => ({ ...event, logprobs: [] }))
    fc.assert(
      fc.property(fc.array(flat, { minLength: 1, maxLength: 12 }), events => {
        const read = makeFrameReader()
        for (const event of events) expect(read(JSON.stringify(event))).toBeDefined()
      }),
    )
  })

  test("survives damage: what a parser can read too is read alike", () => {
    const damage = fc.record({ at: fc.nat(), put: fc.constantFrom('"', "\\", "{", "}", ",", ":", " ", "x", "", "[1]") })
    fc.assert(
      fc.property(fc.array(fc.tuple(delta, damage), { minLength: 2, maxLength: 8 }), steps => {
        const read = makeFrameReader()
        for (const [event, { at, put }] of steps) {
          const whole = JSON.stringify(event)
          const place = at % whole.length
          const data = whole.slice(0, place) + put + whole.slice(place + 1)
          const found = read(data)
          const parsed = parse(data)
          if (parsed !== undefined) expectSame(found, parsed)
        }
      }),
      { numRuns: 500 },
    )
  })
})

function parse(data: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}

test("an event that goes on after its line is not taken for one like the last", () => {
  const reader = makeDeltaReader()
  const event = '{"type":"response.output_text.delta","delta":"a","output_index":0}'
  const frame = `data: ${event}\n\n`
  expect(reader.read({ text: frame, start: 0, end: frame.length - 2, dataAt: 6 })).toBeDefined()
  expect(reader.readLike(frame, 0)).toBeDefined()
  expect(reader.next()).toBe(frame.length)
  expect(reader.readLike(`data: ${event}\ndata: more\n\n`, 0)).toBeUndefined()
  expect(reader.readLike(`data: ${event}\n`, 0)).toBeUndefined()
})
