/** Values that are legal JSON and still trip code: nulls, hostile keys, deep nesting, huge and odd text. */

import { describe, expect, test } from "bun:test"

import { arrayAt, isJsonObject, type Json, type JsonObject } from "#core/json.ts"
import { encodeResponsesRequest } from "#protocols/openai-responses/encode-request.ts"

import {
  assistantText,
  chatToUpstream,
  decodeChat,
  decodeResponses,
  failureOf,
  functionCall,
  functionOutput,
  inputOfItems,
  inputOfMessages,
  itemsOf,
  makePlan,
  responsesToUpstream,
  userText,
} from "./request-kit.ts"

const ask = { role: "user", content: "hi" }

function nested(levels: number, inner = "1"): Json {
  return JSON.parse(`${"[".repeat(levels)}${inner}${"]".repeat(levels)}`)
}

function toolsOf(body: JsonObject): readonly JsonObject[] {
  return (arrayAt(body, "tools") ?? []).filter(isJsonObject)
}

describe("null inside items counts as absent", () => {
  test("a message with a null type is a message, and its null members are left out", () => {
    const item = { type: null, role: "system", content: "a", phase: null, status: null, name: null }
    expect(inputOfItems([item])).toEqual([
      { type: "message", role: "developer", content: [{ type: "input_text", text: "a" }] },
    ])
  })

  test("a call with a null namespace follows its declared tool's name", () => {
    const name = "server.read"
    const body = responsesToUpstream({
      input: [{ ...functionCall("c1", name), namespace: null, status: null }, functionOutput("c1")],
      tools: [{ type: "function", name }],
    })
    expect(itemsOf(body)[0]).toEqual(functionCall("c1", "server_read"))
    expect(toolsOf(body)[0]?.["name"]).toBe("server_read")
  })

  test("null members of parts are left out", () => {
    const content = [
      { type: "input_text", text: "a", prompt_cache_breakpoint: null },
      { type: "input_image", image_url: "https://a.invalid/b.png", detail: null, file_id: null },
      { type: "input_file", file_id: "file_1", file_data: null, filename: null },
    ]
    expect(inputOfItems([{ role: "user", content }])[0]?.["content"]).toEqual([
      { type: "input_text", text: "a" },
      { type: "input_image", image_url: "https://a.invalid/b.png" },
      { type: "input_file", file_id: "file_1" },
    ])
  })

  test("a part without a type is text when it has text", () => {
    expect(inputOfItems([{ role: "user", content: [{ text: "a" }] }])).toEqual([userText("a")])
    expect(inputOfItems([{ role: "assistant", content: [{ type: null, text: "a" }] }])).toEqual([assistantText("a")])
  })
})

describe("keys that mean something to JavaScript", () => {
  const hostile =
    '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":1,"valueOf":1}'
  const parsed: JsonObject = JSON.parse(hostile)

  test("a tool type that cannot be turned into a string is refused by name", () => {
    const error = failureOf(() => decodeChat({ messages: [ask], tools: [{ type: parsed }] }))
    expect([error.kind, error.param]).toEqual(["invalid-request", "tools[0].type"])
  })

  test("properties called __proto__ and constructor stay properties, and no other object changes", () => {
    const properties = `{"__proto__":{"type":"array"},"constructor":{"type":"object"},"toString":{"type":"string"}}`
    const schema: JsonObject = JSON.parse(
      `{"type":"object","properties":${properties},"required":["__proto__","ghost"]}`,
    )
    const body = chatToUpstream({
      messages: [ask],
      tools: [{ type: "function", function: { name: "f", parameters: schema, strict: true } }],
    })
    expect(JSON.stringify(toolsOf(body)[0]?.["parameters"])).toBe(
      '{"type":"object","properties":{"__proto__":{"type":"array","items":{}},' +
        '"constructor":{"type":"object","properties":{},"additionalProperties":false},"toString":{"type":"string"}},' +
        '"required":["__proto__"],"additionalProperties":false}',
    )
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false)
  })

  test("at the top of a body and of an item they pass unseen or as they are", () => {
    const chat = chatToUpstream({ messages: [{ ...ask, ...parsed }], ...parsed })
    expect(chat).toEqual(chatToUpstream({ messages: [ask] }))
    const item: JsonObject = JSON.parse(`{"type":"brand_new","__proto__":{"a":1}}`)
    expect(JSON.stringify(inputOfItems([item]))).toBe(`[${JSON.stringify(item)}]`)
    expect(JSON.stringify(responsesToUpstream({ input: "x", ...parsed }))).not.toContain("polluted")
  })
})

describe("deep nesting", () => {
  test("beyond a thousand levels is refused in every member, in both dialects", () => {
    for (const levels of [1_001, 200_000]) {
      const deep = nested(levels)
      const chat = failureOf(() => decodeChat({ messages: [{ role: "tool", content: [deep] }] }))
      const native = failureOf(() => decodeResponses({ input: "x", instructions: deep }))
      expect([chat.kind, chat.param, native.kind, native.param]).toEqual([
        "invalid-request",
        "messages",
        "invalid-request",
        "instructions",
      ])
    }
  })

  test("of a few hundred levels goes through: schemas, instructions and items", () => {
    const schema: JsonObject = JSON.parse(`${'{"type":"array","items":'.repeat(400)}{}${"}".repeat(400)}`)
    const parameters = { type: "object", properties: { a: schema } }
    const tools = [{ type: "function", function: { name: "f", parameters } }]
    expect(toolsOf(chatToUpstream({ messages: [ask], tools }))[0]?.["parameters"]).toEqual(parameters)
    expect(responsesToUpstream({ input: "x", instructions: nested(500, '"a"') })["instructions"]).toBe("a")
    expect(inputOfItems([{ type: "brand_new", x: nested(500) }])).toHaveLength(1)
  })

  test("hidden in text is left as text or dropped, never followed", () => {
    const image = '{"type":"image_url","image_url":{"url":"https://a.invalid/b.png"}}'
    const content = `[${image},${"[".repeat(200_000)}${"]".repeat(200_000)}]`
    const messages = [
      { role: "assistant", tool_calls: [{ id: "c", function: { name: "f", arguments: "{}" } }] },
      { role: "tool", tool_call_id: "c", content },
    ]
    expect(inputOfMessages(messages)[1]?.["output"]).toBe(content)
    const search = {
      type: "tool_search_call",
      call_id: "c",
      arguments: `{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}`,
    }
    expect(inputOfItems([search])[0]?.["arguments"]).toEqual({})
  })
})

describe("size and letters", () => {
  test("a five megabyte image goes through untouched in both dialects, and the very string is shared", () => {
    const url = `data:image/png;base64,${"QUJD".repeat(1_310_720)}`
    const chat = inputOfMessages([{ role: "user", content: [{ type: "image_url", image_url: { url } }] }])
    const native = inputOfItems([{ role: "user", content: [{ type: "input_image", image_url: url }] }])
    expect(chat).toEqual(native)
    expect(Bun.deepEquals(native[0]?.["content"], [{ type: "input_image", image_url: url }])).toBe(true)
  })

  test("tool names of any letters and length have distinct acceptable names and lead back", () => {
    const names = [
      "a.b",
      "a/b",
      "a b",
      "天気",
      "🌦️".repeat(40),
      `mcp__${"x".repeat(80)}__go`,
      `mcp__${"y".repeat(80)}__go`,
      "a_b",
    ]
    const request = decodeChat({
      messages: [ask],
      tools: names.map(name => ({ type: "function", function: { name } })),
    })
    const { body, toolNames } = encodeResponsesRequest(request, makePlan())
    const sent = toolsOf(body).map(tool => String(tool["name"]))
    expect(new Set(sent).size).toBe(names.length)
    for (const name of sent) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
    expect(sent.map(name => toolNames.get(name) ?? name)).toEqual(names)
  })

  test("lone surrogates, control characters and right-to-left marks are carried as they are", () => {
    const odd = "\u0000\u001f\u2028\u202e\ud800x\udfff\ufeff👩‍👩‍👧"
    expect(inputOfMessages([{ role: "user", content: odd }])).toEqual([userText(odd)])
    expect(inputOfItems([userText(odd)])).toEqual([userText(odd)])
  })

  test("200 tools are refused with their number", () => {
    const tools = Array.from({ length: 200 }, (_, index) => ({ type: "function", function: { name: `f${index}` } }))
    const error = failureOf(() => chatToUpstream({ messages: [ask], tools }))
    expect([error.kind, error.param]).toEqual(["invalid-request", "tools"])
    expect(error.message).toContain("200")
  })
})

test("a root of several types becomes an object schema", () => {
  const tools = [
    { type: "function", function: { name: "f", parameters: { type: ["object", "null"], properties: {} } } },
  ]
  expect(toolsOf(chatToUpstream({ messages: [ask], tools }))[0]?.["parameters"]).toEqual({
    type: "object",
    properties: {},
  })
})

test("an image named by file id inside JSON text reaches the model", () => {
  const image = { type: "input_image", file_id: "file_1" }
  const messages = [
    { role: "assistant", tool_calls: [{ id: "c", function: { name: "f", arguments: "{}" } }] },
    { role: "tool", tool_call_id: "c", content: JSON.stringify([image]) },
  ]
  expect(inputOfMessages(messages)[1]?.["output"]).toEqual([image])
})

test("instructions that say json do not spare the hint: the upstream looks into the input only", () => {
  const body = responsesToUpstream({
    input: "hi",
    instructions: "Answer in JSON.",
    text: { format: { type: "json_object" } },
  })
  expect(itemsOf(body)[0]?.["role"]).toBe("developer")
  expect(JSON.stringify(itemsOf(body)[0])).toMatch(/json/i)
})
