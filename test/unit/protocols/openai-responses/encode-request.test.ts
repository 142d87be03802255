import { describe, expect, test } from "bun:test"

import { arrayAt, type Json, type JsonObject } from "#core/json.ts"
import { encodeResponsesRequest } from "#protocols/openai-responses/encode-request.ts"

import {
  assistantText,
  CODEX_HEADERS,
  chatToUpstream,
  decodeChat,
  functionCall,
  functionOutput,
  inputOfItems,
  itemsOf,
  makeModelInfo,
  makePlan,
  responsesToUpstream,
  userText,
} from "../request-kit.ts"

const PUBLIC_API = { codexBackend: false }

describe("fixed members", () => {
  test("stream and store are set whatever the client wants, instructions are never missing", () => {
    const body = responsesToUpstream({ input: "hi", stream: false, store: true })
    expect(body).toMatchObject({ model: "gpt-5.5", stream: true, store: false, instructions: "" })
  })

  test("instructions that came as parts are flattened to text", () => {
    const instructions = [
      { type: "input_text", text: "a" },
      { role: "developer", content: [{ type: "text", text: "b" }] },
    ]
    expect(responsesToUpstream({ input: "hi", instructions })["instructions"]).toBe("a\nb")
  })

  test("an empty input becomes one empty user turn", () => {
    expect(itemsOf(responsesToUpstream({ input: [] }))).toEqual([userText("")])
  })

  test("include is the client's list and the encrypted reasoning, once", () => {
    const include = ["message.output_text.logprobs", "web_search_call.action.sources", "reasoning.encrypted_content"]
    expect(responsesToUpstream({ input: "hi", include })["include"]).toEqual([
      "web_search_call.action.sources",
      "reasoning.encrypted_content",
    ])
  })

  test("tier and cache key come from the plan alone", () => {
    const json = { input: "hi", service_tier: "flex", prompt_cache_key: "mine" }
    expect(responsesToUpstream(json)).not.toContainAnyKeys(["service_tier", "prompt_cache_key"])
    expect(responsesToUpstream(json, { serviceTier: "priority", promptCacheKey: "theirs" })).toMatchObject({
      service_tier: "priority",
      prompt_cache_key: "theirs",
    })
  })

  test("stream_options keep the delivery of summaries only", () => {
    const stream_options = { include_usage: true, reasoning_summary_delivery: "sequential_cutoff" }
    expect(responsesToUpstream({ input: "hi", stream_options })["stream_options"]).toEqual({
      reasoning_summary_delivery: "sequential_cutoff",
    })
    expect(responsesToUpstream({ input: "hi", stream_options: { include_usage: true } })).not.toHaveProperty(
      "stream_options",
    )
  })

  test("client_metadata is for Codex clients", () => {
    const json = { input: "hi", client_metadata: { a: "b" } }
    expect(responsesToUpstream(json)).not.toHaveProperty("client_metadata")
    expect(responsesToUpstream(json, {}, CODEX_HEADERS)["client_metadata"]).toEqual({ a: "b" })
  })

  test("the body holds no header of the client", () => {
    const body = responsesToUpstream({ input: "hi" }, {}, { authorization: "Bearer sk-secret", cookie: "c=secret" })
    expect(JSON.stringify(body)).not.toContain("secret")
  })
})

describe("reasoning", () => {
  const reasoning = { effort: "high", generate_summary: "concise", context: "all_turns" }

  test("effort comes from the plan, the summary from the client, unknown keys from Codex only", () => {
    const plan = { effort: "low" }
    expect(responsesToUpstream({ input: "hi", reasoning }, plan)["reasoning"]).toEqual({
      effort: "low",
      summary: "concise",
    })
    expect(responsesToUpstream({ input: "hi", reasoning }, plan, CODEX_HEADERS)["reasoning"]).toEqual({
      effort: "low",
      summary: "concise",
      context: "all_turns",
    })
  })

  test("a summary is asked for unless the effort is none, the client says none or the model has none", () => {
    expect(responsesToUpstream({ input: "hi" })["reasoning"]).toEqual({ summary: "auto" })
    expect(responsesToUpstream({ input: "hi" }, { effort: "none" })["reasoning"]).toEqual({ effort: "none" })
    expect(responsesToUpstream({ input: "hi", reasoning: { summary: "none" } })).not.toHaveProperty("reasoning")
    const modelInfo = makeModelInfo({ supportsSummary: false })
    expect(responsesToUpstream({ input: "hi" }, { modelInfo })).not.toHaveProperty("reasoning")
  })
})

describe("text", () => {
  test("response_format of the chat dialect is folded in beside verbosity", () => {
    const json_schema = { name: "x", schema: { type: "object", properties: {} }, strict: true }
    const body = responsesToUpstream({
      input: "hi",
      text: { verbosity: "low" },
      response_format: { type: "json_schema", json_schema },
    })
    expect(body["text"]).toEqual({
      verbosity: "low",
      format: { type: "json_schema", ...json_schema, schema: { ...json_schema.schema, additionalProperties: false } },
    })
  })

  test("verbosity is left out for models without it", () => {
    const modelInfo = makeModelInfo({ supportsVerbosity: false })
    expect(responsesToUpstream({ input: "hi", text: { verbosity: "low" } }, { modelInfo })).not.toHaveProperty("text")
  })

  test("a schema without name gets one", () => {
    const format = { type: "json_schema", schema: { type: "object" } }
    expect(responsesToUpstream({ input: "hi", text: { format } })["text"]).toEqual({
      format: { ...format, name: "response" },
    })
  })
})

describe("items", () => {
  function itemOf(item: JsonObject, plan = {}): JsonObject | undefined {
    return inputOfItems([item, userText("end")], plan).find(
      candidate => JSON.stringify(candidate) !== JSON.stringify(userText("end")),
    )
  }

  test("a message without type is one, with its string as a part", () => {
    expect(itemOf({ role: "assistant", content: "a", phase: "commentary" })).toEqual({
      type: "message",
      role: "assistant",
      phase: "commentary",
      content: [{ type: "output_text", text: "a" }],
    })
  })

  test("encrypted reasoning is kept without id and content", () => {
    expect(itemOf({ type: "reasoning", id: "rs_1", summary: [], content: null, encrypted_content: "gAAAA" })).toEqual({
      type: "reasoning",
      summary: [],
      encrypted_content: "gAAAA",
    })
  })

  test("arguments are text for functions and an object for tool searches", () => {
    const [call] = inputOfItems([{ ...functionCall("c1"), arguments: { a: 1 } }, functionOutput("c1")])
    expect(call?.["arguments"]).toBe('{"a":1}')
    expect(itemOf({ type: "tool_search_call", arguments: '{"q":"x"}' })?.["arguments"]).toEqual({ q: "x" })
  })

  test("outputs stay text or parts; objects become JSON text", () => {
    const outputOf = (output: Json) => inputOfItems([functionCall("c1"), functionOutput("c1", output)])[1]?.["output"]
    expect(outputOf('{"a":1}')).toBe('{"a":1}')
    expect(outputOf({ a: 1 })).toBe('{"a":1}')
    expect(outputOf(null)).toBe("")
    expect(outputOf([{ type: "text", text: "a" }])).toEqual([{ type: "input_text", text: "a" }])
    expect(outputOf([])).toBe("")
  })

  test("chat-style image parts are flattened and their data URLs repaired", () => {
    const content = [{ type: "image_url", image_url: { url: "data:image/png;base64,-_8", detail: "high" } }]
    expect(itemOf({ role: "user", content })?.["content"]).toEqual([
      { type: "input_image", image_url: "data:image/png;base64,+/8=", detail: "high" },
    ])
  })

  test("a compaction is kept without id, a readable one becomes a developer message, an empty one disappears", () => {
    expect(itemOf({ type: "compaction", id: "cmp_1", encrypted_content: "gAAAA" })).toEqual({
      type: "compaction",
      encrypted_content: "gAAAA",
    })
    expect(itemOf({ type: "compaction", summary: [{ type: "summary_text", text: "before" }] })).toEqual({
      type: "message",
      role: "developer",
      content: [{ type: "input_text", text: "before" }],
    })
    expect(itemOf({ type: "compaction" })).toBeUndefined()
  })

  test("a generated image without usable id is shown as an input image or left out", () => {
    expect(itemOf({ type: "image_generation_call", id: "ig_1", status: "completed", result: "AAAA" })).toHaveProperty(
      "id",
    )
    expect(itemOf({ type: "image_generation_call", result: "AAAA", output_format: "webp" })).toEqual({
      type: "message",
      role: "user",
      content: [{ type: "input_image", image_url: "data:image/webp;base64,AAAA" }],
    })
    expect(itemOf({ type: "image_generation_call" })).toBeUndefined()
  })

  test("a hosted call with an id too long is left out, one with a good id stays", () => {
    expect(itemOf({ type: "mcp_call", id: "mcp_1", name: "x" })).toEqual({ type: "mcp_call", id: "mcp_1", name: "x" })
    expect(itemOf({ type: "mcp_call", id: "m".repeat(65), name: "x" })).toBeUndefined()
  })

  test("items of unknown type pass", () => {
    const item = {
      type: "agent_message",
      author: "/root",
      content: [{ type: "encrypted_content", encrypted_content: "x" }],
    }
    expect(itemOf(item)).toEqual(item)
  })

  test("call ids over 64 characters become the same hash in call and result", () => {
    const long = "c".repeat(69)
    const [call, output] = inputOfItems([functionCall(long), functionOutput(long)])
    expect(String(call?.["call_id"]).length).toBeLessThanOrEqual(64)
    expect(call?.["call_id"]).toBe(output?.["call_id"] as string)
    expect(inputOfItems([functionCall(`${long}x`)])[0]?.["call_id"]).not.toBe(call?.["call_id"] as string)
  })
})

describe("stripping what is encrypted", () => {
  test("a compaction stays: the history before it would be lost, and nobody told", () => {
    const compaction = { type: "compaction", encrypted_content: "x" }
    expect(inputOfItems([compaction, userText("a")], { stripEncrypted: true })).toEqual([compaction, userText("a")])
  })

  test("only the reasoning of other accounts goes, and whole, when it is known which that is", () => {
    const reasoning = (text: string) => ({ type: "reasoning", summary: [], encrypted_content: text })
    const items = [userText("a"), reasoning("theirs"), reasoning("ours"), reasoning("unknown"), userText("b")]
    expect(inputOfItems(items, { foreignTexts: new Set(["theirs"]) })).toEqual([
      userText("a"),
      reasoning("ours"),
      reasoning("unknown"),
      userText("b"),
    ])
  })

  test("reasoning and encrypted parts go, everything else stays", () => {
    const encrypted = { type: "encrypted_content", encrypted_content: "x" }
    const items = [
      userText("a"),
      { type: "reasoning", summary: [], encrypted_content: "x" },
      functionCall("c1"),
      functionOutput("c1", [{ type: "input_text", text: "seen" }, encrypted]),
      { type: "agent_message", content: [encrypted] },
    ]
    expect(inputOfItems(items, { stripEncrypted: true })).toEqual([
      userText("a"),
      functionCall("c1"),
      functionOutput("c1", [{ type: "input_text", text: "seen" }]),
    ])
    expect(JSON.stringify(inputOfItems(items))).toContain("encrypted_content")
  })
})

describe("the public API", () => {
  test("keeps the client's members, still streams and does not store", () => {
    const json = {
      input: "hi",
      temperature: 0.5,
      max_output_tokens: 9,
      metadata: { a: "b" },
      store: true,
      verbosity: "low",
      type: "response.create",
    }
    const body = responsesToUpstream(json, { rules: PUBLIC_API })
    expect(body).toMatchObject({
      temperature: 0.5,
      max_output_tokens: 9,
      metadata: { a: "b" },
      store: false,
      stream: true,
    })
    expect(body).not.toContainAnyKeys(["verbosity", "type", "instructions"])
    expect(body["text"]).toEqual({ verbosity: "low" })
  })

  test("is not asked to reason where nothing says that the model can", () => {
    const body = responsesToUpstream({ input: "hi" }, { rules: PUBLIC_API })
    expect(body).not.toContainAnyKeys(["reasoning", "include"])
    expect(responsesToUpstream({ input: "hi" }, { rules: PUBLIC_API, effort: "low" })["reasoning"]).toEqual({
      effort: "low",
      summary: "auto",
    })
  })
})

test("reasoning sealed by this family replays, other families' items do not", () => {
  const request = decodeChat({ messages: [{ role: "user", content: "a" }] })
  if (request.body.type !== "neutral") throw new Error("chat bodies are neutral")
  const json = JSON.stringify({ type: "reasoning", id: "rs_1", summary: [], encrypted_content: "x" })
  const input = [
    ...request.body.input,
    { type: "native-item" as const, item: { family: "openai-responses" as const, json } },
    { type: "native-item" as const, item: { family: "openai-chat" as const, json: "{}" } },
  ]
  const { body } = encodeResponsesRequest({ ...request, body: { ...request.body, input } }, makePlan())
  expect(itemsOf(body)).toEqual([userText("a"), { type: "reasoning", summary: [], encrypted_content: "x" }])
})

test("untouched parts are shared with the client's body, not copied", () => {
  const part = { type: "input_text", text: "a".repeat(100_000) }
  const [first] = inputOfItems([{ type: "message", role: "user", content: [part] }, assistantText("b")])
  expect(arrayAt(first ?? {}, "content")?.[0]).toBe(part)
})

test("chat and Responses bodies of one conversation become the same items", () => {
  const tools = [{ type: "function", function: { name: "f" } }]
  const chat = chatToUpstream({
    tools,
    messages: [
      { role: "user", content: "a" },
      { role: "assistant", content: "b", tool_calls: [{ id: "c1", function: { name: "f", arguments: "{}" } }] },
      { role: "tool", tool_call_id: "c1", content: "ok" },
    ],
  })
  const native = responsesToUpstream({
    input: [userText("a"), assistantText("b"), functionCall("c1"), functionOutput("c1")],
  })
  expect(chat["input"]).toEqual(native["input"])
})
