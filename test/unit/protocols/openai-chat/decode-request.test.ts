import { describe, expect, test } from "bun:test"

import type { Json, JsonObject } from "#core/json.ts"

import { CODEX_HEADERS, chatToUpstream, decodeChat, failureOf } from "../request-kit.ts"

const messages = [{ role: "user", content: "hi" }]

function refusal(json: JsonObject) {
  const { kind, param, code } = failureOf(() => decodeChat(json))
  return { kind, param, code }
}

function refusedWith(param: string, code: string) {
  return { kind: "invalid-request", param, code } as const
}

describe("what is refused", () => {
  const tool = { type: "function", function: { name: "f" } }
  const cases: readonly (readonly [string, JsonObject, string, string])[] = [
    ["a missing model", { model: null, messages }, "model", "missing_required_parameter"],
    ["a model that is no string", { model: 7, messages }, "model", "invalid_type"],
    ["neither messages nor input", {}, "messages", "missing_required_parameter"],
    ["empty messages alone", { messages: [] }, "messages", "missing_required_parameter"],
    ["messages that are no array", { messages: "hi" }, "messages", "invalid_type"],
    ["a message without a role", { messages: [{ content: "x" }] }, "messages[0].role", "missing_required_parameter"],
    ["an unknown role", { messages: [...messages, { role: "robot" }] }, "messages[1].role", "invalid_value"],
    ["two choices", { messages, n: 2 }, "n", "unsupported_value"],
    ["audio output", { messages, modalities: ["text", "audio"] }, "modalities", "unsupported_value"],
    [
      "audio input",
      { messages: [{ role: "user", content: [{ type: "text", text: "x" }, { type: "input_audio" }] }] },
      "messages[0].content[1]",
      "unsupported_value",
    ],
    [
      "an unknown part of a user message",
      { messages: [{ role: "user", content: [{ type: "hologram" }] }] },
      "messages[0].content[0].type",
      "invalid_value",
    ],
    [
      "a nameless function",
      { messages, tools: [{ type: "function", function: {} }] },
      "tools[0].function.name",
      "missing_required_parameter",
    ],
    [
      "a nameless flat tool",
      { messages, tools: [tool, { type: "function", name: "" }] },
      "tools[1].name",
      "missing_required_parameter",
    ],
    ["a hosted tool with server state", { messages, tools: [{ type: "mcp" }] }, "tools[0].type", "unsupported_tool"],
    [
      "a forced tool nobody declared",
      { messages, tools: [tool], tool_choice: { type: "function", function: { name: "g" } } },
      "tool_choice",
      "invalid_value",
    ],
    ["an unknown tool choice", { messages, tools: [tool], tool_choice: "maybe" }, "tool_choice", "invalid_value"],
    [
      "a forced hosted tool nobody declared",
      { messages, tool_choice: { type: "image_generation" } },
      "tool_choice",
      "invalid_value",
    ],
    [
      "a schema format without schema",
      { messages, response_format: { type: "json_schema", json_schema: { name: "x" } } },
      "response_format.json_schema.schema",
      "missing_required_parameter",
    ],
    ["an unknown format", { messages, response_format: { type: "xml" } }, "response_format.type", "invalid_value"],
    ["an unknown verbosity", { messages, verbosity: "chatty" }, "verbosity", "invalid_value"],
  ]
  for (const [what, json, param, code] of cases) {
    test(`${what} is refused and named`, () => expect(refusal(json)).toEqual(refusedWith(param, code)))
  }
})

describe("what is lifted out of the body", () => {
  test("effort, summary, verbosity, tier, cache key and hint", () => {
    const request = decodeChat({
      messages,
      reasoning_effort: "xhigh",
      reasoning: { effort: "low", summary: "detailed" },
      verbosity: "low",
      service_tier: "fast",
      prompt_cache_key: "k",
      user: "u",
    })
    expect(request).toMatchObject({
      effort: "xhigh",
      summary: "detailed",
      verbosity: "low",
      serviceTier: "fast",
      cacheKey: "k",
      sessionHint: "u",
    })
  })

  test("the reasoning object and the camel-case tier serve where the usual names are absent", () => {
    const request = decodeChat({ messages, reasoning: { effort: "low" }, serviceTier: "priority" })
    expect([request.effort, request.serviceTier]).toEqual(["low", "priority"])
  })

  test("a session header is the cache key when the body has none", () => {
    expect(decodeChat({ messages }, { "x-session-id": "ses_1" }).cacheKey).toBe("ses_1")
    expect(decodeChat({ messages, prompt_cache_key: "k" }, { "x-session-id": "ses_1" }).cacheKey).toBe("k")
  })

  test("the model name is kept as the client wrote it, suffix included", () => {
    expect(decodeChat({ model: "gpt-5.5-xhigh", messages }).model).toBe("gpt-5.5-xhigh")
  })
})

describe("how the answer must look", () => {
  test("usage is included only on request", () => {
    expect(decodeChat({ messages, stream_options: { include_usage: true } }).reply.includeUsage).toBe(true)
    expect(decodeChat({ messages, stream_options: {} }).reply.includeUsage).toBe(false)
  })

  test("functions without tools ask for the legacy answer, functions beside tools do not", () => {
    const functions = [{ name: "f" }]
    expect(decodeChat({ messages, functions }).reply.legacyFunctions).toBe(true)
    const tools = [{ type: "function", function: { name: "g" } }]
    expect(decodeChat({ messages, functions, tools }).reply.legacyFunctions).toBe(false)
  })

  test("Cursor gets custom calls in the function envelope, others do not", () => {
    expect(decodeChat({ messages }, { "user-agent": "Cursor/1.2" }).reply.customAsFunction).toBe(true)
    expect(decodeChat({ messages }, { "user-agent": "curl/8" }).reply.customAsFunction).toBe(false)
  })

  test("Codex clients are recognised by user agent or originator", () => {
    expect(decodeChat({ messages }, CODEX_HEADERS).reply.codexClient).toBe(true)
    expect(decodeChat({ messages }, { originator: "Codex Desktop" }).reply.codexClient).toBe(true)
    expect(decodeChat({ messages }, { "user-agent": "my-codex" }).reply.codexClient).toBe(false)
  })
})

describe("legacy functions", () => {
  const history: readonly Json[] = [
    { role: "user", content: "go" },
    { role: "assistant", content: null, function_call: { name: "f", arguments: '{"a":1}' } },
    { role: "function", name: "f", content: "one" },
    { role: "assistant", content: null, function_call: { name: "f", arguments: '{"a":2}' } },
    { role: "function", name: "f", content: "two" },
  ]

  test("one function called twice keeps two ids, and each result answers its own call", () => {
    const items = chatToUpstream({ messages: history, functions: [{ name: "f" }] })["input"] as readonly JsonObject[]
    expect(items.map(item => item["type"])).toEqual([
      "message",
      "function_call",
      "function_call_output",
      "function_call",
      "function_call_output",
    ])
    expect(items[1]?.["call_id"]).toBe(items[2]?.["call_id"] as string)
    expect(items[3]?.["call_id"]).toBe(items[4]?.["call_id"] as string)
    expect(items[1]?.["call_id"]).not.toBe(items[3]?.["call_id"] as string)
    expect([items[2]?.["output"], items[4]?.["output"]]).toEqual(["one", "two"])
  })

  test("a named function_call forces that function", () => {
    const body = chatToUpstream({ messages, functions: [{ name: "f" }], function_call: { name: "f" } })
    expect(body["tool_choice"]).toEqual({ type: "function", name: "f" })
    expect(body["tools"]).toEqual([
      { type: "function", name: "f", parameters: { type: "object", properties: {} }, strict: false },
    ])
  })
})

describe("content parts", () => {
  function partsOf(role: string, content: Json): Json | undefined {
    const items = chatToUpstream({ messages: [{ role, content }, ...messages] })["input"] as readonly JsonObject[]
    return items.length === 1 ? undefined : items[0]?.["content"]
  }

  test("an image keeps its detail, in object and string form", () => {
    const url = "https://example.com/a.png"
    expect(partsOf("user", [{ type: "image_url", image_url: { url, detail: "low" } }])).toEqual([
      { type: "input_image", image_url: url, detail: "low" },
    ])
    expect(partsOf("user", [{ type: "image_url", image_url: url }])).toEqual([{ type: "input_image", image_url: url }])
  })

  test("an unknown detail is dropped, not the image", () => {
    expect(partsOf("user", [{ type: "image_url", image_url: { url: "https://e.com/a", detail: "max" } }])).toEqual([
      { type: "input_image", image_url: "https://e.com/a" },
    ])
  })

  test("an image without address is skipped", () => {
    expect(partsOf("user", [{ type: "image_url", image_url: { url: "" } }])).toBeUndefined()
  })

  test("vendor spellings of an image are understood", () => {
    expect(
      partsOf("user", [{ type: "image", source: { type: "base64", media_type: "image/jpeg", data: "AAAA" } }]),
    ).toEqual([{ type: "input_image", image_url: "data:image/jpeg;base64,AAAA" }])
    expect(partsOf("user", [{ type: "input_image", file_id: "file_1" }])).toEqual([
      { type: "input_image", file_id: "file_1" },
    ])
  })

  test("a file is flattened", () => {
    const file = { file_data: "data:application/pdf;base64,AAAA", filename: "a.pdf" }
    expect(partsOf("user", [{ type: "file", file }])).toEqual([{ type: "input_file", ...file }])
  })

  test("Responses spellings are re-typed for the role", () => {
    expect(partsOf("user", [{ type: "output_text", text: "a" }])).toEqual([{ type: "input_text", text: "a" }])
    expect(partsOf("assistant", [{ type: "input_text", text: "a" }])).toEqual([{ type: "output_text", text: "a" }])
  })

  test("an assistant's image is dropped, its text stays", () => {
    const content = [
      { type: "text", text: "a" },
      { type: "image_url", image_url: { url: "https://e.com/a" } },
    ]
    expect(partsOf("assistant", content)).toEqual([{ type: "output_text", text: "a" }])
  })

  test("an assistant's refusal is a refusal part", () => {
    expect(partsOf("assistant", [{ type: "refusal", refusal: "no" }])).toEqual([{ type: "refusal", refusal: "no" }])
  })

  test("prompt_cache_breakpoint does not go upstream", () => {
    expect(partsOf("user", [{ type: "text", text: "a", prompt_cache_breakpoint: true }])).toEqual([
      { type: "input_text", text: "a" },
    ])
  })
})

describe("tools and their choice", () => {
  const f = { type: "function", function: { name: "f" } }

  test("a tool without type is inferred, one without anything is dropped", () => {
    const body = chatToUpstream({ messages, tools: [{ function: { name: "a" } }, { name: "b" }, { vendor: 1 }] })
    expect((body["tools"] as readonly JsonObject[]).map(tool => tool["name"])).toEqual(["a", "b"])
  })

  test("a name declared as function and as custom is a function", () => {
    const body = chatToUpstream({ messages, tools: [{ type: "custom", custom: { name: "f" } }, f] })
    expect((body["tools"] as readonly JsonObject[]).map(tool => tool["type"])).toEqual(["function"])
  })

  test("every form of tool_choice is flattened", () => {
    const tools = [f, { type: "custom", custom: { name: "c" } }, { type: "web_search_preview" }]
    const choose = (tool_choice: Json) => chatToUpstream({ messages, tools, tool_choice })["tool_choice"]
    expect(choose("required")).toBe("required")
    expect(choose({ type: "function", function: { name: "f" } })).toEqual({ type: "function", name: "f" })
    expect(choose({ type: "function", name: "f" })).toEqual({ type: "function", name: "f" })
    expect(choose({ type: "custom", custom: { name: "c" } })).toEqual({ type: "custom", name: "c" })
    expect(choose({ type: "function", function: { name: "c" } })).toEqual({ type: "custom", name: "c" })
    expect(choose({ type: "web_search_preview_2025_03_11" })).toEqual({ type: "web_search" })
    expect(
      choose({ type: "allowed_tools", allowed_tools: { mode: "required", tools: [f, { type: "custom", name: "c" }] } }),
    ).toEqual({
      type: "allowed_tools",
      mode: "required",
      tools: [
        { type: "function", name: "f" },
        { type: "custom", name: "c" },
      ],
    })
  })

  test("web_search_options add one search tool with a flat location", () => {
    const web_search_options = {
      search_context_size: "low",
      user_location: { type: "approximate", approximate: { city: "Oslo", country: "NO" } },
    }
    const search = {
      type: "web_search",
      search_context_size: "low",
      user_location: { type: "approximate", city: "Oslo", country: "NO" },
    }
    expect(chatToUpstream({ messages, web_search_options })["tools"]).toEqual([search])
    const own = chatToUpstream({ messages, web_search_options, tools: [{ type: "web_search" }] })
    expect(own["tools"]).toEqual([{ type: "web_search" }])
  })
})

test("the worked example comes out whole and in order", () => {
  const image = { url: "data:image/png;base64,AAAA", detail: "low" }
  const parameters = { type: "object", properties: { x: { type: "number" } } }
  const body = chatToUpstream(
    {
      model: "my-alias-high",
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0.2,
      max_tokens: 900,
      messages: [
        { role: "system", content: "Be brief." },
        {
          role: "user",
          content: [
            { type: "text", text: "What is shown?" },
            { type: "image_url", image_url: image },
          ],
        },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "c1", type: "function", function: { name: "zoom", arguments: '{"x":1}' } }],
        },
        { role: "tool", tool_call_id: "c1", content: "done" },
      ],
      tools: [{ type: "function", function: { name: "zoom", parameters } }],
      tool_choice: { type: "function", function: { name: "zoom" } },
    },
    { model: "gpt-5.5", effort: "high", promptCacheKey: "11111111-1111-8111-8111-111111111111" },
  )
  expect(body).toEqual({
    model: "gpt-5.5",
    instructions: "",
    input: [
      { type: "message", role: "developer", content: [{ type: "input_text", text: "Be brief." }] },
      {
        type: "message",
        role: "user",
        content: [
          { type: "input_text", text: "What is shown?" },
          { type: "input_image", image_url: image.url, detail: "low" },
        ],
      },
      { type: "function_call", call_id: "c1", name: "zoom", arguments: '{"x":1}' },
      { type: "function_call_output", call_id: "c1", output: "done" },
    ],
    tools: [{ type: "function", name: "zoom", parameters, strict: false }],
    tool_choice: { type: "function", name: "zoom" },
    reasoning: { effort: "high", summary: "auto" },
    store: false,
    stream: true,
    include: ["reasoning.encrypted_content"],
    prompt_cache_key: "11111111-1111-8111-8111-111111111111",
  })
})
