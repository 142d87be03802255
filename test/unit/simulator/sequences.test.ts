/** The order of events in every stream, and what the unscripted answer does. */

import { expect, test } from "bun:test"
import { inflateSync } from "node:zlib"

import { isJsonObject, type JsonObject } from "#core/json.ts"
import { TINY_PNG_BASE64 } from "#simulator/sequences/image.ts"
import { SEQUENCES } from "#simulator/sequences/registry.ts"

import { GOOD_BODY, parseEvents, postTurn, saying, turnEvents, typesOf, withSimulator } from "./client.ts"

const START = ["created", "in_progress"]
const MESSAGE = [
  "output_item.added",
  "content_part.added",
  "output_text.delta",
  "output_text.done",
  "content_part.done",
  "output_item.done",
]
const EMPTY_MESSAGE = MESSAGE.filter(type => type !== "output_text.delta")
const SUMMARY = [
  "reasoning_summary_part.added",
  "reasoning_summary_text.delta",
  "reasoning_summary_text.done",
  "reasoning_summary_part.done",
]
const CALL = ["output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done"]
const ITEM = ["output_item.added", "output_item.done"]

/** Scenario → event types without `response.`; repeated deltas are one. */
const ORDERS: Readonly<Record<string, readonly string[]>> = {
  conversation: [...START, ...MESSAGE, "completed"],
  text: [...START, ...MESSAGE, "completed"],
  phases: [...START, ...MESSAGE, ...MESSAGE, "completed"],
  "reasoning summaries=2": [
    ...START,
    "output_item.added",
    ...SUMMARY,
    ...SUMMARY,
    "output_item.done",
    ...MESSAGE,
    "completed",
  ],
  "reasoning-only summaries=0": [...START, ...ITEM, "completed"],
  call: [...START, ...CALL, "completed"],
  "commentary-call": [...START, ...MESSAGE, ...CALL, "completed"],
  "parallel-calls calls=3": [...START, ...CALL, ...CALL, ...CALL, "completed"],
  "custom-call": [
    ...START,
    "output_item.added",
    "custom_tool_call_input.delta",
    "custom_tool_call_input.done",
    "output_item.done",
    "completed",
  ],
  "namespace-call": [...START, ...CALL, "completed"],
  "tool-search": [...START, ...ITEM, "completed"],
  "local-shell": [...START, ...ITEM, "completed"],
  "web-search": [
    ...START,
    "output_item.added",
    "web_search_call.in_progress",
    "web_search_call.searching",
    "web_search_call.completed",
    "output_item.done",
    ...MESSAGE.slice(0, 3),
    "output_text.annotation.added",
    ...MESSAGE.slice(3),
    "completed",
  ],
  "image partials=2": [
    ...START,
    "output_item.added",
    "image_generation_call.in_progress",
    "image_generation_call.generating",
    "image_generation_call.partial_image",
    "image_generation_call.completed",
    "output_item.done",
    ...EMPTY_MESSAGE,
    "completed",
  ],
  refusal: [
    ...START,
    "output_item.added",
    "content_part.added",
    "refusal.delta",
    "refusal.done",
    "content_part.done",
    "output_item.done",
    "completed",
  ],
  incomplete: [...START, ...MESSAGE, "incomplete"],
  empty: [...START, "completed"],
  "empty-message": [...START, ...EMPTY_MESSAGE, "completed"],
  "large bytes=100000": [...START, ...MESSAGE, "completed"],
  compaction: [...START, ...ITEM, "completed"],
  failure: [...START, "error", "failed"],
  "failure error-form=flat": [...START, "error"],
  "failure error-form=failed": [...START, "failed"],
  "late-failure": [...START, ...MESSAGE, "error", "failed"],
  "context-overflow": [...START, "error", "failed"],
}

for (const [directive, order] of Object.entries(ORDERS)) {
  test(`"${directive}" streams its events in the recorded order, numbered from zero`, () =>
    withSimulator(async simulator => {
      const events = await turnEvents(simulator, saying(`[[simulate: ${directive}]] go`))
      expect(typesOf(events).map(type => type.replace(/^response\./, ""))).toEqual([...order])
      expect(events.map(event => event["sequence_number"])).toEqual(events.map((_, index) => index))
    }))
}

test("every sequence has its order written down here", () => {
  const named = new Set(Object.keys(ORDERS).map(directive => directive.split(" ")[0]))
  expect(Object.keys(SEQUENCES).filter(name => !named.has(name))).toEqual([])
})

test("the terminal event leaves its output empty and carries usage that grows in the cache", () =>
  withSimulator(async simulator => {
    const body = saying("x".repeat(4000), { prompt_cache_key: "thread-1" })
    const [first, second] = [await turnEvents(simulator, body), await turnEvents(simulator, body)].map(usageOf)
    expect(first).toMatchObject({ output: [], usage: { input_tokens_details: { cached_tokens: 0 } } })
    expect(second).toMatchObject({ usage: { input_tokens_details: { cached_tokens: 896 } } })
  }))

test("an input beyond the model's window fails inside a 200, but a large image does not count as text", () =>
  withSimulator(async simulator => {
    const large = saying("x ".repeat(600_000), { model: "gpt-5.5" })
    expect((await turnEvents(simulator, large)).at(-1)).toMatchObject({
      type: "response.failed",
      response: { error: { code: "context_length_exceeded" } },
    })
    const image = { type: "input_image", image_url: `data:image/png;base64,${"AAAA".repeat(600_000)}` }
    const input = [{ type: "message", role: "user", content: [image] }]
    expect((await turnEvents(simulator, { ...GOOD_BODY, input })).at(-1)).toMatchObject({ type: "response.completed" })
  }))

test("a command is asked of the shell on offer, and its output is quoted in the next turn", () =>
  withSimulator(async simulator => {
    const tools = [
      { type: "function", name: "get_weather", parameters: { type: "object", properties: {} } },
      {
        type: "function",
        name: "shell",
        parameters: { type: "object", properties: { command: { type: "array", items: { type: "string" } } } },
      },
    ]
    const first = saying("Please run: echo hello-tool", { tools })
    const call = itemOf(await turnEvents(simulator, first))
    expect(call).toMatchObject({
      type: "function_call",
      name: "shell",
      arguments: '{"command":["bash","-lc","echo hello-tool"]}',
    })
    const output = { type: "function_call_output", call_id: String(call["call_id"]), output: "hello-tool\n" }
    const input = [...(first["input"] as readonly JsonObject[]), call, output]
    expect(textOf(await turnEvents(simulator, { ...first, input }))).toEndWith("The tool answered: hello-tool\n")
  }))

test("a tool inside a namespace is called with the namespace and the short name", () =>
  withSimulator(async simulator => {
    const inner = {
      type: "function",
      name: "exec_command",
      parameters: { type: "object", properties: { cmd: { type: "string" } } },
    }
    const hidden = {
      type: "additional_tools",
      role: "developer",
      tools: [{ type: "namespace", name: "functions", tools: [inner] }],
    }
    const body = saying("Please run: ls")
    const input = [hidden, ...(body["input"] as readonly JsonObject[])]
    const call = itemOf(await turnEvents(simulator, { ...body, input }))
    expect(call).toMatchObject({ namespace: "functions", name: "exec_command", arguments: '{"cmd":"ls"}' })
  }))

test("structured output satisfies the schema it was asked for", () =>
  withSimulator(async simulator => {
    const schema = {
      type: "object",
      properties: {
        name: { type: "string" },
        age: { type: "integer", minimum: 18 },
        tags: { type: "array", items: { enum: ["a", "b"] } },
        next: { anyOf: [{ type: "null" }, { $ref: "#" }] },
      },
      required: ["name", "age", "tags", "next"],
      additionalProperties: false,
    }
    const format = { type: "json_schema", name: "person", strict: true, schema }
    const events = await turnEvents(simulator, saying("Who?", { text: { format } }))
    expect(JSON.parse(textOf(events))).toEqual({ name: "simulated", age: 18, tags: ["a"], next: null })
  }))

test("encrypted reasoning comes only when included, and its final form can be replayed", () =>
  withSimulator(async simulator => {
    const reasoning = { effort: "high", summary: "auto" }
    const plain = itemOf(await turnEvents(simulator, saying("hi", { reasoning })))
    expect(plain).not.toHaveProperty("encrypted_content")
    const include = ["reasoning.encrypted_content"]
    const events = await turnEvents(simulator, saying("hi", { reasoning, include }))
    const final = itemOf(events)
    const announced = events.find(event => event["type"] === "response.output_item.added")?.["item"]
    expect(announced).not.toEqual(final)
    const input = [final, ...(GOOD_BODY["input"] as readonly JsonObject[])]
    expect((await postTurn(simulator, { ...GOOD_BODY, input })).status).toBe(200)
  }))

test("the image is a real PNG of one pixel", () => {
  const bytes = Buffer.from(TINY_PNG_BASE64, "base64")
  expect([...bytes.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10])
  const chunks = new Map<string, Buffer>()
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    const named = bytes.subarray(at + 4, at + 8 + length)
    expect(Bun.hash.crc32(named)).toBe(bytes.readUInt32BE(at + 8 + length))
    chunks.set(named.toString("latin1", 0, 4), named.subarray(4))
    at += 12 + length
  }
  expect(chunks.get("IHDR")?.readUInt32BE(0)).toBe(1)
  expect(inflateSync(chunks.get("IDAT") ?? Buffer.alloc(0)).length).toBe(5)
})

test("the same seed gives the same answer", async () => {
  const answers: string[] = []
  for (let run = 0; run < 2; run += 1) {
    await withSimulator(
      async simulator => {
        answers.push(await (await postTurn(simulator, saying("[[simulate: parallel-calls]]"))).text())
      },
      { clock: () => 1_790_000_000_000, seed: "fixed" },
    )
  }
  expect(answers[0]).toBe(answers[1] ?? "")
  expect(parseEvents(answers[0] ?? "").length).toBeGreaterThan(5)
})

function usageOf(events: readonly JsonObject[]): JsonObject {
  const response = events.at(-1)?.["response"]
  return isJsonObject(response) ? response : {}
}

/** The first finished item. */
function itemOf(events: readonly JsonObject[]): JsonObject {
  const item = events.find(event => event["type"] === "response.output_item.done")?.["item"]
  return isJsonObject(item) ? item : {}
}

function textOf(events: readonly JsonObject[]): string {
  return String(events.findLast(event => event["type"] === "response.output_text.done")?.["text"])
}
