import { describe, expect, test } from "bun:test"

import type { Json, JsonObject } from "#core/json.ts"
import { encodeResponsesRequest } from "#protocols/openai-responses/encode-request.ts"

import {
  assistantText,
  CODEX_KEYS,
  chatToUpstream,
  decodeChat,
  failureOf,
  inputOfItems,
  inputOfMessages,
  itemsOf,
  makePlan,
  userText,
} from "./request-kit.ts"

const ask = { role: "user", content: "hi" }
const CURSOR = { "user-agent": "cursor/1.7" }

function chatCall(id: string, name = "f", args: Json = "{}"): JsonObject {
  return { id, type: "function", function: { name, arguments: args } }
}

function assistantCalls(...calls: readonly JsonObject[]): JsonObject {
  return { role: "assistant", content: null, tool_calls: calls }
}

function typesOf(items: readonly JsonObject[]): readonly Json[] {
  return items.map(item => item["type"] ?? null)
}

describe("chat clients", () => {
  test("1: sampling options and output caps are removed, the request succeeds", () => {
    const body = chatToUpstream({
      messages: [ask],
      temperature: 1,
      max_tokens: 9,
      max_completion_tokens: 9,
      top_p: 1,
      stop: ["x"],
      seed: 1,
    })
    expect(Object.keys(body).every(key => CODEX_KEYS.has(key))).toBe(true)
  })

  test("2: a Responses-shaped body on the chat address is accepted and answered as chat", () => {
    const json = {
      input: [ask],
      instructions: "Be brief.",
      tools: [{ type: "function", name: "f" }],
      stream_options: { include_usage: true },
    }
    const request = decodeChat(json, CURSOR)
    expect(request).toMatchObject({
      protocol: "openai-chat",
      body: { type: "native" },
      reply: { includeUsage: true, customAsFunction: true },
    })
    expect(chatToUpstream(json, {}, CURSOR)).toMatchObject({
      instructions: "Be brief.",
      input: [userText("hi")],
      tools: [{ type: "function", name: "f", strict: false }],
    })
  })

  test("3: an empty list of messages does not win over input, a filled one does", () => {
    expect(itemsOf(chatToUpstream({ messages: [], input: "native" }))).toEqual([userText("native")])
    expect(itemsOf(chatToUpstream({ messages: [ask], input: "native" }))).toEqual([userText("hi")])
  })

  test("4: nested and flat tools work in one list", () => {
    const tools = [
      { type: "function", function: { name: "a" } },
      { type: "function", name: "b" },
    ]
    const body = chatToUpstream({ messages: [ask], tools })
    expect((body["tools"] as readonly JsonObject[]).map(tool => tool["name"])).toEqual(["a", "b"])
  })

  test("5: a custom tool's history in the function envelope becomes custom calls with the raw text", () => {
    const patch = "*** Begin Patch\n*** End Patch"
    const tools = [{ type: "custom", name: "ApplyPatch", format: { type: "grammar", syntax: "lark", definition: "x" } }]
    const messages = [
      ask,
      assistantCalls(chatCall("c1", "ApplyPatch", patch)),
      { role: "tool", tool_call_id: "c1", content: "done" },
    ]
    expect(inputOfMessages(messages, { tools }).slice(1)).toEqual([
      { type: "custom_tool_call", call_id: "c1", name: "ApplyPatch", input: patch },
      { type: "custom_tool_call_output", call_id: "c1", output: "done" },
    ])
  })

  test("6: a nested grammar is flattened", () => {
    const format = { type: "grammar", grammar: { syntax: "lark", definition: "start: x" } }
    const body = chatToUpstream({ messages: [ask], tools: [{ type: "custom", custom: { name: "c", format } }] })
    expect(body["tools"]).toEqual([
      { type: "custom", name: "c", format: { type: "grammar", syntax: "lark", definition: "start: x" } },
    ])
  })

  test("7: calls without text make no empty assistant message", () => {
    for (const content of [null, "", []]) {
      const message = { ...assistantCalls(chatCall("c1")), content }
      expect(typesOf(inputOfMessages([ask, message]))).toEqual(["message", "function_call", "function_call_output"])
    }
  })

  test("8: an empty assistant message is skipped", () => {
    expect(inputOfMessages([ask, { role: "assistant", content: "" }])).toEqual([userText("hi")])
  })

  test("9: a result without id is paired by order", () => {
    const messages = [
      ask,
      assistantCalls(chatCall("c1"), chatCall("c2")),
      { role: "tool", content: "1" },
      { role: "tool", content: "2" },
    ]
    expect(inputOfMessages(messages).slice(3)).toEqual([
      { type: "function_call_output", call_id: "c1", output: "1" },
      { type: "function_call_output", call_id: "c2", output: "2" },
    ])
  })

  test("10: a result whose call was cut off becomes user text", () => {
    const [quoted] = inputOfMessages([{ role: "tool", tool_call_id: "c0", content: "42" }, ask])
    expect(quoted).toMatchObject({ type: "message", role: "user" })
    expect(JSON.stringify(quoted)).toContain("42")
  })

  test("11: a call that was interrupted gets a stand-in result", () => {
    expect(typesOf(inputOfMessages([assistantCalls(chatCall("c1")), ask]))).toEqual([
      "function_call",
      "function_call_output",
      "message",
    ])
  })

  test("12: one call id in every round is paired round by round", () => {
    const round = (output: string) => [
      assistantCalls(chatCall("call_0")),
      { role: "tool", tool_call_id: "call_0", content: output },
    ]
    const items = inputOfMessages([...round("1"), ...round("2")])
    expect(items.map(item => item["output"])).toEqual([undefined, "1", undefined, "2"])
  })

  test("13: an image inside a tool result reaches the model, as parts and as JSON text", () => {
    const image = { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }
    for (const content of [[image], JSON.stringify([image])]) {
      const items = inputOfMessages([assistantCalls(chatCall("c1")), { role: "tool", tool_call_id: "c1", content }])
      expect(items[1]?.["output"]).toEqual([{ type: "input_image", image_url: "data:image/png;base64,AAAA" }])
    }
  })

  test("14: a result that is JSON text stays text", () => {
    for (const content of ['{"a":1}', '["image"]', "[1,2]", '[{"type":"text","text":"x"}]', '["image'])
      expect(
        inputOfMessages([assistantCalls(chatCall("c1")), { role: "tool", tool_call_id: "c1", content }])[1]?.["output"],
      ).toBe(content)
  })

  test("15: a system message in the middle stays in its place", () => {
    const items = inputOfMessages([ask, { role: "system", content: "now be brief" }, ask])
    expect(items.map(item => item["role"])).toEqual(["user", "developer", "user"])
  })

  test("16: system messages inside input become developer messages", () => {
    expect(inputOfItems([{ role: "system", content: "x" }])[0]?.["role"]).toBe("developer")
  })

  test("17: a long tool name is shortened in tools, choice and history, and has a way back", () => {
    const name = `mcp__${"server".repeat(12)}__read_file`
    const request = decodeChat({
      messages: [assistantCalls(chatCall("c1", name)), { role: "tool", tool_call_id: "c1", content: "x" }],
      tools: [{ type: "function", function: { name } }],
      tool_choice: { type: "function", function: { name } },
    })
    const { body, toolNames } = encodeResponsesRequest(request, makePlan())
    expect((body["tools"] as readonly JsonObject[])[0]?.["name"]).toBe("mcp__read_file")
    expect(body["tool_choice"]).toEqual({ type: "function", name: "mcp__read_file" })
    expect(itemsOf(body)[0]?.["name"]).toBe("mcp__read_file")
    expect([...toolNames]).toEqual([["mcp__read_file", name]])
  })

  test("18: two tools with one last segment stay apart, also when one of them is forced", () => {
    const names = ["a", "b"].map(server => `mcp__${server.repeat(70)}__read`)
    const body = chatToUpstream({
      messages: [ask],
      tools: names.map(name => ({ type: "function", function: { name } })),
      tool_choice: { type: "function", function: { name: names[1] ?? "" } },
    })
    expect((body["tools"] as readonly JsonObject[]).map(tool => tool["name"])).toEqual(["mcp__read", "mcp__read_1"])
    expect(body["tool_choice"]).toEqual({ type: "function", name: "mcp__read_1" })
  })

  function parametersOf(parameters: Json | undefined, strict?: boolean): Json | undefined {
    const source = {
      name: "f",
      ...(parameters === undefined ? {} : { parameters }),
      ...(strict === undefined ? {} : { strict }),
    }
    const body = chatToUpstream({ messages: [ask], tools: [{ type: "function", function: source }] })
    return (body["tools"] as readonly JsonObject[])[0]?.["parameters"]
  }

  test("19: an array parameter without items is repaired", () => {
    expect(parametersOf({ type: "object", properties: { paths: { type: "array" } } })).toEqual({
      type: "object",
      properties: { paths: { type: "array", items: {} } },
    })
  })

  test("20: a tool without parameters gets an empty object schema", () => {
    expect(parametersOf(undefined)).toEqual({ type: "object", properties: {} })
  })

  test("21: properties named like keywords are untouched", () => {
    const parameters = {
      type: "object",
      properties: { type: { type: "string" }, required: { type: "string" }, items: { type: "string" } },
    }
    expect(parametersOf(parameters)).toEqual(parameters)
  })

  test("22: an omitted strict is sent as false, a given one as it is", () => {
    const strictOf = (source: JsonObject) => {
      const body = chatToUpstream({
        messages: [ask],
        tools: [{ type: "function", function: { name: "f", ...source } }],
      })
      return (body["tools"] as readonly JsonObject[])[0]?.["strict"]
    }
    expect([strictOf({}), strictOf({ strict: null }), strictOf({ strict: true })]).toEqual([false, false, true])
  })

  test("23: a required choice without tools is removed", () => {
    expect(chatToUpstream({ messages: [ask], tools: [], tool_choice: "required" })).not.toContainAnyKeys([
      "tools",
      "tool_choice",
    ])
  })

  test("24: parallel_tool_calls without tools is removed, the client's false wins with them", () => {
    expect(chatToUpstream({ messages: [ask], parallel_tool_calls: true })).not.toHaveProperty("parallel_tool_calls")
    const tools = [{ type: "function", function: { name: "f" } }]
    expect(chatToUpstream({ messages: [ask], tools, parallel_tool_calls: false })["parallel_tool_calls"]).toBe(false)
    expect(chatToUpstream({ messages: [ask], tools })).not.toHaveProperty("parallel_tool_calls")
  })

  test("25: JSON mode without the word gets a hint, with the word it does not", () => {
    const response_format = { type: "json_object" }
    const hinted = inputOfMessages([ask], { response_format })
    expect(hinted[0]?.["role"]).toBe("developer")
    expect(JSON.stringify(hinted[0])).toMatch(/json/i)
    expect(inputOfMessages([{ role: "user", content: "as json" }], { response_format })).toHaveLength(1)
    expect(inputOfMessages([ask])).toHaveLength(1)
  })

  test("26: a schema format and verbosity both survive", () => {
    const json_schema = {
      name: "x",
      schema: { type: "object", properties: { a: { type: "object", properties: {} } } },
      strict: true,
    }
    const body = chatToUpstream({
      messages: [ask],
      verbosity: "high",
      response_format: { type: "json_schema", json_schema },
    })
    expect(body["text"]).toMatchObject({ verbosity: "high", format: { type: "json_schema", name: "x", strict: true } })
    expect(JSON.stringify(body["text"]).match(/"additionalProperties":false/g)).toHaveLength(2)
  })

  test("27: echoed reasoning is neither replayed nor shown", () => {
    const message = {
      role: "assistant",
      content: "b",
      reasoning_content: "secret thought",
      reasoning_details: [{ text: "x" }],
    }
    expect(inputOfMessages([ask, message])[1]).toEqual(assistantText("b"))
  })

  test("28: the tier is lifted for the plan and never copied", () => {
    expect(decodeChat({ messages: [ask], service_tier: "auto" }).serviceTier).toBe("auto")
    expect(chatToUpstream({ messages: [ask], service_tier: "auto" })).not.toHaveProperty("service_tier")
  })

  test("29: one choice is fine, two are refused", () => {
    expect(() => decodeChat({ messages: [ask], n: 1 })).not.toThrow()
    expect(failureOf(() => decodeChat({ messages: [ask], n: 2 })).status).toBe(400)
  })

  test("30: an effort in the model name is left for the plan", () => {
    const request = decodeChat({ model: "gpt-5.5-xhigh", messages: [ask] })
    expect([request.model, request.effort]).toEqual(["gpt-5.5-xhigh", undefined])
  })

  test("31: a data URL of several megabytes goes through as it is", () => {
    const url = `data:image/png;base64,${"A".repeat(4_000_000)}`
    const content = [{ type: "image_url", image_url: { url } }]
    expect(inputOfMessages([{ role: "user", content }])[0]?.["content"]).toEqual([
      { type: "input_image", image_url: url },
    ])
  })

  test("32: only the boolean true streams", () => {
    const streamOf = (stream: Json) => decodeChat({ messages: [ask], stream }).stream
    expect([streamOf(true), streamOf("true"), streamOf(1), streamOf(null), streamOf(false)]).toEqual([
      true,
      false,
      false,
      false,
      false,
    ])
  })
})
