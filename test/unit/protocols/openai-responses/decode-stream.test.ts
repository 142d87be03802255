/** The decoder on upstreams that behave oddly, beyond the recorded scenarios. */

import { expect, test } from "bun:test"

import type { StreamEvent } from "#core/events.ts"
import { readJsonText } from "#core/json.ts"
import { makeResponsesDecoder } from "#protocols/openai-responses/decode-stream.ts"

import { brokenEventInvariants } from "../../../support/event-invariants.ts"
import { readFailure } from "../../../support/scenarios.ts"

function decode(events: readonly object[], declaredTools?: ReadonlySet<string>): readonly StreamEvent[] {
  const out: StreamEvent[] = []
  const tools = declaredTools === undefined ? {} : { declaredTools }
  const decoder = makeResponsesDecoder({ emit: event => out.push(event), readFailure, ...tools })
  const bytes = new TextEncoder().encode(events.map(event => `data: ${JSON.stringify(event)}\n\n`).join(""))
  decoder.feed(bytes)
  decoder.end()
  expect(brokenEventInvariants(out)).toEqual([])
  return out
}

const completed = { type: "response.completed", response: { id: "resp_1", status: "completed", output: [] } }
const added = (index: number | undefined, item: object) => ({
  type: "response.output_item.added",
  output_index: index,
  item,
})
const done = (index: number | undefined, item: object) => ({
  type: "response.output_item.done",
  output_index: index,
  item,
})
const call = (callId: string, input: string) => ({
  type: "function_call",
  call_id: callId,
  name: "run",
  arguments: input,
})
const message = (text: string) => ({ type: "message", content: [{ type: "output_text", text }] })

function textOf(events: readonly StreamEvent[]): string {
  return events.map(event => (event.type === "text-delta" ? readJsonText(event.text) : "")).join("")
}

function callsOf(events: readonly StreamEvent[]): readonly string[] {
  const inputs = new Map<number, string>()
  for (const event of events) {
    if (event.type === "tool-start") inputs.set(event.block, `${event.callId} ${event.name} `)
    if (event.type === "tool-delta") inputs.set(event.block, inputs.get(event.block) + readJsonText(event.text))
  }
  return [...inputs.values()]
}

test("only the missing end of a text is added by its done event", () => {
  const delta = { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "Hel" }
  const events = decode([added(0, { type: "message" }), delta, done(0, message("Hello")), completed])
  expect(textOf(events)).toBe("Hello")
})

test("a done event that contradicts the deltas changes nothing", () => {
  const delta = { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "Hello" }
  expect(textOf(decode([added(0, { type: "message" }), delta, done(0, message("Howdy")), completed]))).toBe("Hello")
})

test("items that only the terminal response has are delivered once", () => {
  const output = [message("Hi"), call("call_1", '{"a":1}')]
  const terminal = { ...completed, response: { ...completed.response, output } }
  const events = decode([done(0, message("Hi")), terminal])
  expect(textOf(events)).toBe("Hi")
  expect(callsOf(events)).toEqual(['call_1 run {"a":1}'])
})

test("calls are told apart by call id when every output index is 0", () => {
  const events = decode([done(0, call("call_1", "{}")), done(0, call("call_2", '{"b":2}')), completed])
  expect(callsOf(events)).toEqual(["call_1 run {}", 'call_2 run {"b":2}'])
})

test("an item announced under the index of a finished one is another item", () => {
  const events = decode([
    added(0, { type: "message" }),
    done(0, message("one")),
    added(0, { type: "message" }),
    done(0, message("two")),
    completed,
  ])
  expect(textOf(events)).toBe("onetwo")
})

test("events without an output index are matched by item id, then by the only open item", () => {
  const events = decode([
    added(undefined, { id: "fc_1", ...call("call_1", "") }),
    { type: "response.function_call_arguments.delta", item_id: "fc_1", delta: '{"a"' },
    { type: "response.function_call_arguments.delta", item_id: "fc_other", delta: ":1}" },
    completed,
  ])
  expect(callsOf(events)).toEqual(['call_1 run {"a":1}'])
})

test("a call without any arguments gets an empty object, but not in a truncated answer", () => {
  const incomplete = { type: "response.incomplete", response: { status: "incomplete" } }
  expect(callsOf(decode([added(0, call("call_1", "")), completed]))).toEqual(["call_1 run {}"])
  expect(callsOf(decode([added(0, call("call_1", "")), incomplete]))).toEqual(["call_1 run "])
})

test("arguments sent as an object are written out", () => {
  const item = { type: "function_call", call_id: "call_1", name: "run", arguments: { a: 1 } }
  expect(callsOf(decode([done(0, item), completed]))).toEqual(['call_1 run {"a":1}'])
})

test("a tool really called parallel is not taken apart", () => {
  const bundle = {
    ...call("call_1", '{"tool_uses":[{"recipient_name":"functions.x","parameters":{}}]}'),
    name: "parallel",
  }
  const events = [done(0, bundle), completed]
  expect(callsOf(decode(events, new Set(["parallel"])))[0]).toStartWith("call_1 parallel ")
  expect(callsOf(decode(events))[0]).toStartWith("call_1 parallel ")
  expect(callsOf(decode(events, new Set(["x"])))).toEqual(["call_1_0 x {}"])
})

test("a bundle that cannot be read is handed on as it is", () => {
  const bundle = { ...call("call_1", "{broken"), name: "multi_tool_use.parallel" }
  expect(callsOf(decode([done(0, bundle), completed], new Set()))).toEqual(["call_1 multi_tool_use.parallel {broken"])
})

test("summary and raw reasoning of one item are set apart by a blank line", () => {
  const events = decode([
    added(0, { type: "reasoning" }),
    { type: "response.reasoning_summary_text.delta", output_index: 0, summary_index: 0, delta: "short" },
    { type: "response.reasoning_text.delta", output_index: 0, content_index: 0, delta: "long" },
    completed,
  ])
  const text = events.map(event => (event.type === "reasoning-delta" ? readJsonText(event.text) : "")).join("")
  expect(text).toBe("short\n\nlong")
})

test("citations of a later part count from the start of the message", () => {
  const cited = { type: "url_citation", url: "https://example.com", title: "E", start_index: 1, end_index: 2 }
  const content = [
    { type: "output_text", text: "12345" },
    { type: "output_text", text: "678", annotations: [cited] },
  ]
  const events = decode([done(0, { type: "message", content }), completed])
  const found = events.flatMap(event => (event.type === "citation" ? [event.citation] : []))
  expect(found).toEqual([{ url: "https://example.com", title: "E", startIndex: 6, endIndex: 7 }])
})

test("nothing is emitted after the end, whatever the upstream still sends", () => {
  const events = decode([completed, done(0, message("late")), { type: "error", message: "late" }])
  expect(events.map(event => event.type)).toEqual(["response-start", "finish"])
})

test("usage that contradicts itself is cut to what can be", () => {
  const usage = {
    input_tokens: 10,
    input_tokens_details: { cached_tokens: 99 },
    output_tokens: 5,
    output_tokens_details: { reasoning_tokens: 50 },
  }
  const events = decode([{ ...completed, response: { ...completed.response, usage } }])
  expect(events[1]).toEqual({
    type: "usage",
    usage: { inputTokens: 10, inputCachedTokens: 10, outputTokens: 5, reasoningTokens: 5 },
  })
})

test("event types that are names of built-in properties are no events", () => {
  const events = decode([{ type: "constructor" }, { type: "__proto__" }, { type: "toString" }, completed])
  expect(events.map(event => event.type)).toEqual(["response-start", "finish"])
})
