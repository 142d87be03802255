/** Random upstream answers with what is in them, and the two lanes they go through. */

import fc from "fast-check"

import type { Json, JsonObject } from "#core/json.ts"
import { makeChatEncoder } from "#protocols/openai-chat/encode-stream.ts"
import { makeChatFolder } from "#protocols/openai-chat/fold.ts"
import { makeResponsesDecoder } from "#protocols/openai-responses/decode-stream.ts"
import { makeResponsesCollector } from "#protocols/openai-responses/relay-collector.ts"
import { makeResponsesRelay } from "#protocols/openai-responses/relay-stream.ts"
import type { Collector, ReplyContext, StreamPipe } from "#protocols/protocol.ts"
import { makeTranscodeCollector } from "#protocols/transcode-collector.ts"
import { makeTranscodePipe } from "#protocols/transcode-pipe.ts"

import { readFailure } from "../../support/scenarios.ts"

const upstream = { makeDecoder: makeResponsesDecoder }
const client = { makeEncoder: makeChatEncoder, makeFolder: makeChatFolder }

/** How much of an item the upstream tells; the rest is left out, as it happens. */
type Telling = "everything" | "no-deltas" | "no-part-done" | "item-done-only" | "no-added"

/** How the answer ends. */
export type Ending = "completed" | "done" | "incomplete" | "failed" | "error" | "error-and-failed" | "cut"

type Text = { readonly type: "message"; readonly text: string; readonly refusal: boolean }
type Reasoning = { readonly type: "reasoning"; readonly summaries: readonly string[] }
type Call = { readonly type: "function_call" | "custom_tool_call"; readonly name: string; readonly input: string }
type Hosted = { readonly type: "web_search_call" | "image_generation_call" }
type Item = (Text | Reasoning | Call | Hosted) & { readonly telling: Telling; readonly cutEvery: number }

/** An answer: its bytes, and what a client must find in it. */
export type Answer = {
  readonly bytes: Uint8Array
  readonly items: readonly Item[]
  readonly ending: Ending
}

const TELLINGS: readonly Telling[] = ["everything", "no-deltas", "no-part-done", "item-done-only", "no-added"]

/** Upstream names of the tools that were offered; the first stands for a longer name of the client's. */
export const SHORTENED = "mcp__read"
export const LONG_NAME = `mcp__${"server".repeat(15)}__read`
const FUNCTION_NAMES = [SHORTENED, "write"]
export const CLIENT_NAMES: ReadonlySet<string> = new Set([LONG_NAME, "write", "patch"])

const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom("", "a\nb\n", "\n", '"\\', "👩‍👩‍👧 天気 \u2028\ufeff"),
)
const call: fc.Arbitrary<Call> = fc.oneof(
  fc.record({
    type: fc.constant("function_call" as const),
    name: fc.constantFrom(...FUNCTION_NAMES),
    input: fc.dictionary(fc.string(), text, { noNullPrototype: true }).map(value => JSON.stringify(value)),
  }),
  fc.record({ type: fc.constant("custom_tool_call" as const), name: fc.constant("patch"), input: text }),
)
const manner = { telling: fc.constantFrom(...TELLINGS), cutEvery: fc.integer({ min: 1, max: 5 }) }
const item: fc.Arbitrary<Item> = fc
  .tuple(
    fc.oneof(
      fc.record({ type: fc.constant("message" as const), text, refusal: fc.boolean() }),
      fc.record({ type: fc.constant("reasoning" as const), summaries: fc.array(text, { maxLength: 3 }) }),
      call,
      fc.record({ type: fc.constantFrom("web_search_call" as const, "image_generation_call" as const) }),
    ),
    fc.record(manner),
  )
  .map(([what, how]) => ({ ...what, ...how }))

const endings: readonly Ending[] = ["completed", "done", "incomplete", "failed", "error", "error-and-failed", "cut"]

type Delivery = {
  readonly items: readonly Item[]
  readonly ending: Ending
  readonly interleave: boolean
  readonly rotateIds: boolean
  readonly fullOutput: boolean
  readonly noise: boolean
  readonly numbers: boolean
}

/** Answers of up to five items, told in every way that was seen. `only` narrows how they end. */
export function answers(only: readonly Ending[] = endings): fc.Arbitrary<Answer> {
  return fc
    .record({
      items: fc.array(item, { maxLength: 5 }),
      ending: fc.constantFrom(...only),
      interleave: fc.boolean(),
      rotateIds: fc.boolean(),
      fullOutput: fc.boolean(),
      noise: fc.boolean(),
      numbers: fc.boolean(),
    })
    .map(delivery => ({
      bytes: new TextEncoder().encode(render(delivery)),
      items: delivery.items,
      ending: delivery.ending,
    }))
}

/** The item in its final form. */
function finalOf(what: Item, index: number): JsonObject {
  switch (what.type) {
    case "message": {
      const part: JsonObject = what.refusal
        ? { type: "refusal", refusal: what.text }
        : { type: "output_text", text: what.text, annotations: [] }
      return { id: `msg_${index}`, type: "message", status: "completed", role: "assistant", content: [part] }
    }
    case "reasoning":
      return {
        id: `rs_${index}`,
        type: "reasoning",
        summary: what.summaries.map(summary => ({ type: "summary_text", text: summary })),
        encrypted_content: `gAAAA${index}`,
      }
    case "function_call":
      return { id: `fc_${index}`, type: what.type, call_id: `call_${index}`, name: what.name, arguments: what.input }
    case "custom_tool_call":
      return { id: `ctc_${index}`, type: what.type, call_id: `call_${index}`, name: what.name, input: what.input }
    case "web_search_call":
      return { id: `ws_${index}`, type: what.type, status: "completed" }
    case "image_generation_call":
      return { id: `ig_${index}`, type: what.type, status: "completed", output_format: "png", result: "QUJD" }
  }
}

/** The item as it is announced: identity without content. */
function announced(what: Item, index: number): JsonObject {
  const final = finalOf(what, index)
  switch (what.type) {
    case "message":
      return { ...final, status: "in_progress", content: [] }
    case "reasoning":
      return { id: `rs_${index}`, type: "reasoning", summary: [] }
    case "function_call":
      return { ...final, arguments: "" }
    case "custom_tool_call":
      return { ...final, input: "" }
    case "web_search_call":
    case "image_generation_call":
      return { id: final["id"] ?? null, type: what.type, status: "in_progress" }
  }
}

type Part = { readonly family: string; readonly whole: string; readonly doneKey: string; readonly place: JsonObject }

/** The streamed texts of an item. */
function partsOf(what: Item): readonly Part[] {
  switch (what.type) {
    case "message":
      return [
        {
          family: what.refusal ? "response.refusal" : "response.output_text",
          whole: what.text,
          doneKey: what.refusal ? "refusal" : "text",
          place: { content_index: 0 },
        },
      ]
    case "reasoning":
      return what.summaries.map((whole, summary) => ({
        family: "response.reasoning_summary_text",
        whole,
        doneKey: "text",
        place: { summary_index: summary },
      }))
    case "function_call":
      return [{ family: "response.function_call_arguments", whole: what.input, doneKey: "arguments", place: {} }]
    case "custom_tool_call":
      return [{ family: "response.custom_tool_call_input", whole: what.input, doneKey: "input", place: {} }]
    case "web_search_call":
    case "image_generation_call":
      return []
  }
}

function eventsOf(what: Item, index: number): readonly JsonObject[] {
  const { telling } = what
  const events: JsonObject[] = []
  const place = { output_index: index, item_id: String(finalOf(what, index)["id"]) }
  if (telling !== "item-done-only" && telling !== "no-added") {
    events.push({ type: "response.output_item.added", output_index: index, item: announced(what, index) })
  }
  for (const part of telling === "item-done-only" ? [] : partsOf(what)) {
    if (telling !== "no-deltas") {
      for (const delta of cut(part.whole, what.cutEvery)) {
        events.push({ type: `${part.family}.delta`, ...place, ...part.place, delta })
      }
    }
    if (telling !== "no-part-done") {
      events.push({ type: `${part.family}.done`, ...place, ...part.place, [part.doneKey]: part.whole })
    }
  }
  events.push({ type: "response.output_item.done", output_index: index, item: finalOf(what, index) })
  return events
}

/** Cuts by character, never inside a surrogate pair: JSON would be legal, the joined text too, but no upstream does it. */
function cut(whole: string, every: number): readonly string[] {
  const letters = [...whole]
  const pieces: string[] = []
  for (let at = 0; at < letters.length; at += every) pieces.push(letters.slice(at, at + every).join(""))
  return pieces
}

const RESPONSE: JsonObject = { id: "resp_1", object: "response", created_at: 1_790_000_000, model: "gpt-5.5" }
const USAGE: JsonObject = {
  input_tokens: 30,
  input_tokens_details: { cached_tokens: 10 },
  output_tokens: 20,
  output_tokens_details: null,
  total_tokens: 50,
}
const NOISE: readonly JsonObject[] = [
  { type: "codex.rate_limits", plan_type: "plus" },
  { type: "response.metadata", metadata: {} },
]

function render({ items, ending, interleave, rotateIds, fullOutput, noise, numbers }: Delivery): string {
  const queues = items.map((what, index) => [...eventsOf(what, index)])
  const body = interleave ? interleaved(items, queues) : queues.flat()
  const output = items.map(finalOf)
  const events: JsonObject[] = [
    { type: "response.created", response: { ...RESPONSE, status: "in_progress", output: [] } },
    ...body.flatMap(event => (noise ? [...NOISE, event] : [event])),
    ...terminalEvents(ending, fullOutput ? output : []),
  ]
  return events
    .map((event, number): JsonObject => (numbers ? { ...event, sequence_number: number } : event))
    .map((event, number) => (rotateIds ? withOtherId(event, number) : event))
    .map(event => `event: ${event["type"]}\ndata: ${JSON.stringify(event)}\n\n`)
    .join(noise ? ": still here\n\n" : "")
}

/** Neighbouring calls run side by side; everything else comes one after the other. */
function interleaved(items: readonly Item[], queues: readonly JsonObject[][]): readonly JsonObject[] {
  const out: JsonObject[] = []
  let at = 0
  while (at < items.length) {
    let end = at + 1
    while (isCall(items[at]) && isCall(items[end])) end++
    const run = queues.slice(at, end)
    // The first event of each in order: what is announced first keeps the lower index.
    for (const queue of run) out.push(...queue.splice(0, 1))
    while (run.some(queue => queue.length > 0)) for (const queue of run) out.push(...queue.splice(0, 1))
    at = end
  }
  return out
}

function isCall(what: Item | undefined): boolean {
  return what?.type === "function_call" || what?.type === "custom_tool_call"
}

function terminalEvents(ending: Ending, output: readonly Json[]): readonly JsonObject[] {
  const response = { ...RESPONSE, output, usage: USAGE }
  const error = { code: "server_is_overloaded", message: "Too busy." }
  const failed = { type: "response.failed", response: { ...RESPONSE, status: "failed", error, output: [] } }
  switch (ending) {
    case "completed":
      return [{ type: "response.completed", response: { ...response, status: "completed" } }]
    case "done":
      return [{ type: "response.done", response: { ...response, status: "completed" } }]
    case "incomplete":
      return [
        {
          type: "response.incomplete",
          response: { ...response, status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
        },
      ]
    case "failed":
      return [failed]
    case "error":
      return [{ type: "error", ...error, param: null }]
    case "error-and-failed":
      return [{ type: "error", error: { type: "server_error", ...error } }, failed]
    case "cut":
      return []
  }
}

/** Another id in every event, as some relays do it; calls keep their `call_id`. */
function withOtherId(event: JsonObject, number: number): JsonObject {
  if (typeof event["item_id"] === "string") return { ...event, item_id: `${event["item_id"]}_${number}` }
  const inner = event["item"]
  if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return event
  // Checked above; arrays are excluded.
  const object = inner as JsonObject
  return { ...event, item: { ...object, id: `${String(object["id"])}_${number}` } }
}

/** What a lane makes of an answer, streamed and as one body; a failed body is undefined. */
export type Served = { readonly stream: string; readonly body: JsonObject | undefined }

/** Through the Chat lane. */
export function serveChat(bytes: Uint8Array, context: ReplyContext, cuts: readonly number[] = []): Served {
  const parts = { upstream, client, context, readFailure }
  return serve(makeTranscodePipe(parts), makeTranscodeCollector(parts), { bytes, cuts })
}

/** Through the Responses lane. */
export function serveResponses(bytes: Uint8Array, context: ReplyContext, cuts: readonly number[] = []): Served {
  const parts = { readFailure }
  return serve(makeResponsesRelay(context, parts), makeResponsesCollector(context, parts), { bytes, cuts })
}

type Wire = { readonly bytes: Uint8Array; readonly cuts: readonly number[] }

function serve(pipe: StreamPipe, collector: Collector, { bytes, cuts }: Wire): Served {
  const edges = [...new Set([0, ...cuts.map(at => at % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b)
  const chunks = edges.slice(1).map((edge, index) => bytes.slice(edges[index], edge))
  const out = chunks.map(chunk => pipe.feed(chunk).slice())
  out.push(pipe.end().slice())
  for (const chunk of chunks) collector.feed(chunk)
  return { stream: Buffer.concat(out).toString("utf8"), body: bodyOf(collector) }
}

function bodyOf(collector: Collector): JsonObject | undefined {
  try {
    return JSON.parse(collector.finish())
  } catch (error) {
    if (error instanceof Error && error.name === "GatewayError") return undefined
    throw error
  }
}
