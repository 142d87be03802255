/** The dialect's numbered edge cases and invariants on the way up. */

import { describe, expect, test } from "bun:test"

import type { Json, JsonObject } from "#core/json.ts"

import {
  assistant,
  call,
  decodeChat,
  decodeGenerate,
  inputOf,
  refusalOf,
  tool,
  upstreamOf,
  user,
} from "./ollama-kit.ts"

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
const JPEG = Buffer.from("\xff\xd8\xff\xe0\x00\x10JFIF", "latin1").toString("base64")

const ids = (items: readonly JsonObject[], type: string) =>
  items.filter(item => item["type"] === type).map(item => item["call_id"])

describe("calls and answers", () => {
  test("1: an answer without an id finds the call of its name, whichever word it is under", () => {
    const items = inputOf(
      assistant("", call("a", {}, "id1"), call("b", {}, "id2")),
      tool("two", { name: "b" }),
      tool("one", { tool_name: "a" }),
    )
    expect(ids(items, "function_call")).toEqual(["id1", "id2"])
    expect(ids(items, "function_call_output")).toEqual(["id2", "id1"])
  })
  test("2: two calls of one name are answered in their order", () => {
    const items = inputOf(
      assistant("", call("a"), call("a")),
      tool("first", { tool_name: "a" }),
      tool("second", { tool_name: "a" }),
    )
    const made = ids(items, "function_call")
    expect(new Set(made).size).toBe(2)
    expect(items.slice(2)).toMatchObject([
      { call_id: made[0], output: "first" },
      { call_id: made[1], output: "second" },
    ] as JsonObject[])
  })
  test("3: an id counts before a name", () => {
    const items = inputOf(
      assistant("", call("a", {}, "1"), call("a", {}, "2")),
      tool("x", { tool_call_id: "2", tool_name: "a" }),
      tool("y", { tool_name: "a" }),
    )
    expect(ids(items, "function_call_output")).toEqual(["2", "1"])
  })
  test("4, R6: ids made up count over the whole request, and a turn that is added changes nothing before it", () => {
    const round = [assistant("", call("a")), tool("ok", { tool_name: "a" })]
    const before = inputOf(user("x"), ...round)
    const after = inputOf(user("x"), ...round, ...round)
    expect(ids(after, "function_call")).toEqual(["call_ol_000000", "call_ol_000001"])
    expect(after.slice(0, before.length)).toEqual([...before])
  })
  test("5: an answer without a call becomes the user's text", () => {
    const items = inputOf(tool("kept", { tool_name: "gone" }))
    expect(items).toMatchObject([{ type: "message", role: "user" }])
    expect(JSON.stringify(items)).toContain("kept")
  })
  test("6: a call nobody answered gets an output behind its turn", () => {
    const items = inputOf(user("x"), assistant("", call("a")), user("never mind"))
    expect(items.map(item => item["type"])).toEqual(["message", "function_call", "function_call_output", "message"])
  })
  test("45: arguments that come back as text are not put into a text once more", () => {
    const source = '{"city":"Paris"}'
    const items = inputOf(
      assistant("", call("a", source, "1"), call("b", { city: "Paris" }, "2")),
      tool("x"),
      tool("y"),
    )
    expect(items.slice(0, 2).map(item => item["arguments"])).toEqual([source, source])
  })
  test("46: answers without name and id go to the open calls in their order", () => {
    const items = inputOf(assistant("", call("a", {}, "1"), call("b", {}, "2")), tool("first"), tool("second"))
    expect(items.slice(2)).toMatchObject([
      { call_id: "1", output: "first" },
      { call_id: "2", output: "second" },
    ])
  })
  test("a history with calls needs no tools", () => {
    const body = upstreamOf(decodeChat({ messages: [assistant("", call("a", {}, "1")), tool("x")] }))
    expect(body["input"]).toMatchObject([{ type: "function_call" }, { type: "function_call_output" }])
    for (const key of ["tools", "tool_choice", "parallel_tool_calls"]) expect(body).not.toHaveProperty(key)
  })
  test("R2: calls and outputs pair one to one, whatever the history", () => {
    const items = inputOf(
      assistant("", call("a", {}, "1"), call("a", {}, "1"), call("b")),
      tool("x", { tool_name: "b" }),
      tool("y", { tool_call_id: "1" }),
      tool("z", { tool_call_id: "1" }),
      tool("too many", { tool_call_id: "1" }),
    )
    const made = ids(items, "function_call")
    expect(new Set(made).size).toBe(3)
    expect(ids(items, "function_call_output").toSorted()).toEqual(made.toSorted())
  })
})

describe("messages", () => {
  test("system messages that lead are instructions, later ones stay in their place", () => {
    const system = (content: string) => ({ role: "System", content })
    const body = upstreamOf(decodeChat({ messages: [system("a"), system("b"), user("x"), system("c"), user("y")] }))
    expect(body["instructions"]).toBe("a\n\nb")
    expect(body["input"]).toMatchObject([{ role: "user" }, { role: "developer" }, { role: "user" }])
  })
  test("a system message alone is something to answer; nothing at all is not", () => {
    expect(inputOf({ role: "system", content: "Be brief." })).toMatchObject([{ role: "developer" }])
    expect(refusalOf(() => decodeChat({ messages: [user("")] }))).toMatchObject({ param: "messages" })
  })
  test("R5: text stands on its speaker's side, empty and absent text leaves nothing behind, thinking is not replayed", () => {
    const items = inputOf(user("a"), { ...assistant("b"), thinking: "secret" }, assistant(null), user(""), user("c"))
    expect(items).toEqual([
      { type: "message", role: "user", content: [{ type: "input_text", text: "a" }] },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "b" }] },
      { type: "message", role: "user", content: [{ type: "input_text", text: "c" }] },
    ])
  })
  test("parts of the Chat dialect are understood", () => {
    const image_url = { url: `data:image/png;base64,${PNG}` }
    expect(
      inputOf(
        user([
          { type: "text", text: "see" },
          { type: "image_url", image_url },
        ]),
      ),
    ).toMatchObject([{ content: [{ text: "see" }, { type: "input_image", image_url: image_url.url }] }])
  })
  test("an unknown role is refused with its place", () => {
    const messages = [user("a"), { role: "robot", content: "b" }]
    expect(refusalOf(() => decodeChat({ messages }))).toMatchObject({ param: "messages[1].role" })
  })
})

describe("images", () => {
  test("47: a bare base64 is what its bytes say; a data URL is left as it is", () => {
    const url = `data:image/png;base64,${PNG}`
    const [message] = inputOf(user("see", { images: [JPEG, PNG, url] }))
    expect(message).toMatchObject({
      content: [
        { type: "input_text" },
        { image_url: `data:image/jpeg;base64,${JPEG}` },
        { image_url: url },
        { image_url: url },
      ],
    })
  })
  test("images beside the messages belong to the user's last one", () => {
    const body = upstreamOf(decodeChat({ messages: [user("a"), assistant("b"), user("c")], images: [PNG] }))
    expect(body["input"]).toMatchObject([{ content: [{}] }, {}, { content: [{ text: "c" }, { type: "input_image" }] }])
  })
  test("an image a tool has brought is part of its output", () => {
    const items = inputOf(assistant("", call("a", {}, "1")), tool("shot", { images: [PNG] }))
    expect(items[1]).toMatchObject({ output: [{ type: "input_text", text: "shot" }, { type: "input_image" }] })
  })
  test.each(["!!!", "", "https://example.com/a.png", Buffer.from("%PDF-1.7").toString("base64")])(
    "%j is refused with its place",
    image => {
      const messages = [user("see", { images: [PNG, image] })]
      expect(refusalOf(() => decodeChat({ messages }))).toMatchObject({ param: "messages[0].images[1]" })
    },
  )
})

describe("wishes", () => {
  test.each([
    [undefined, undefined, "auto", "shown"],
    [null, undefined, "auto", "shown"],
    [true, undefined, "auto", "shown"],
    ["low", "low", "auto", "shown"],
    ["max", "max", "auto", "shown"],
    [false, "none", "none", undefined],
  ] as const)("think %p asks for the effort %p and the summary %p", (think, effort, summary, thinking) => {
    const request = decodeChat(think === undefined ? {} : { think })
    expect([request.effort, request.summary, request.reply.thinking]).toEqual([effort, summary, thinking])
  })
  test.each([
    ["think", "very"],
    ["think", 1],
    ["format", "xml"],
    ["stream", "yes"],
    ["tools", [{ type: "function", function: {} }]],
  ] as readonly (readonly [string, Json])[])("%s %j is refused by name", (name, value) => {
    const refused = refusalOf(() => decodeChat({ [name]: value }))
    expect(refused.kind).toBe("invalid-request")
    expect(refused.param).toStartWith(name)
  })
  test("44: a request that does not say so wants a stream", () => {
    expect(
      [decodeChat({}), decodeChat({ stream: null }), decodeChat({ stream: false })].map(one => one.stream),
    ).toEqual([true, true, false])
  })
  test("20: a schema is sent under a name; a root that is no object is wrapped", () => {
    const properties = { city: { type: "string" } }
    const schema = { $schema: "x", type: "object", properties, required: ["city"], additionalProperties: false }
    expect(upstreamOf(decodeChat({ format: schema }))["text"]).toEqual({
      format: {
        type: "json_schema",
        name: "response",
        schema: { type: "object", properties, required: ["city"], additionalProperties: false },
        strict: true,
      },
    })
    const list = decodeChat({ format: { type: "array", items: { type: "string" } } })
    expect(list.reply.unwrap).toBe("json")
    expect(JSON.stringify(upstreamOf(list)["text"])).toContain('"value":{"type":"array"')
  })
  test("21: JSON without a schema is spoken of in the input", () => {
    const body = upstreamOf(decodeChat({ format: "json" }))
    expect(JSON.stringify(body["input"])).toMatch(/json/i)
    expect(body["text"]).toMatchObject({ format: { type: "json_object" } })
    expect(upstreamOf(decodeChat({ format: "" }))).not.toHaveProperty("text.format")
  })
  test("54: stop sequences come as one text or as several", () => {
    expect(decodeChat({ options: { stop: "x" } }).reply.stopSequences).toEqual(["x"])
    expect(decodeChat({ options: { stop: ["x", "", "y"] } }).reply.stopSequences).toEqual(["x", "y"])
  })
  test("R1: sampling and limits are not sent", () => {
    const options = { num_predict: 5, temperature: 0, top_p: 1, top_k: 3, seed: 1, num_ctx: 9, repeat_penalty: 2 }
    const body = upstreamOf(decodeChat({ options, keep_alive: "5m", logprobs: true, truncate: true }))
    for (const key of ["max_output_tokens", "temperature", "top_p", "stop", "seed", "options"]) {
      expect(body).not.toHaveProperty(key)
    }
    expect(body).toMatchObject({ store: false, stream: true, instructions: expect.any(String) })
  })
})

describe("tools", () => {
  test("16, R4: nested and flat ones are understood, types may be lists, parameters may be missing", () => {
    const parameters = { type: "object", properties: { a: { type: ["string", "null"] } } }
    const tools = [
      { type: "function", function: { name: "f", description: "d", parameters } },
      { name: "g" },
      { function: { name: "f", description: "again" } },
    ]
    expect(upstreamOf(decodeChat({ tools }))).toMatchObject({
      parallel_tool_calls: true,
      tools: [
        { name: "f", description: "d", strict: false, parameters },
        { name: "g", strict: false, parameters: { type: "object", properties: {} } },
      ],
    })
  })
  test("17, R3: odd names are legal upstream, the same in declaration and history", () => {
    const name = "mcp_server.tool:odd"
    const tools = [{ type: "function", function: { name } }]
    const body = upstreamOf(decodeChat({ tools, messages: [assistant("", call(name, {}, "1")), tool("x")] }))
    expect(body["tools"]).toMatchObject([{ name: "mcp_server_tool_odd" }])
    expect(body["input"]).toMatchObject([{ name: "mcp_server_tool_odd" }, {}])
  })
  test("18: an empty list sends no key about tools", () => {
    const body = upstreamOf(decodeChat({ tools: [] }))
    for (const key of ["tools", "tool_choice", "parallel_tool_calls"]) expect(body).not.toHaveProperty(key)
  })
})

describe("a prompt", () => {
  test("is one message of the user, with images and instructions", () => {
    const body = upstreamOf(decodeGenerate({ system: "Be brief.", images: [PNG] }))
    expect(body).toMatchObject({
      instructions: "Be brief.",
      input: [{ role: "user", content: [{ text: "hi" }, { type: "input_image" }] }],
    })
    expect(decodeGenerate({}).reply.asCompletion).toBe(true)
  })
  test.each([
    [{ raw: true, system: "x" }, "system"],
    [{ raw: true, template: "x" }, "template"],
    [{ raw: true, context: [1] }, "context"],
    [{ suffix: "}" }, "suffix"],
  ] as readonly (readonly [JsonObject, string])[])("%j is refused by name", (json, param) => {
    expect(refusalOf(() => decodeGenerate(json))).toMatchObject({ kind: "invalid-request", param })
  })
  test("raw alone, and a template or context without it, is served", () => {
    expect(decodeGenerate({ raw: true, context: [] }).body).toEqual(decodeGenerate({ template: "x", suffix: "" }).body)
  })
})

describe("a request without words", () => {
  test.each([
    [undefined, "load"],
    ["5m", "load"],
    [-1, "load"],
    [0, "unload"],
    ["0", "unload"],
    ["0s", "unload"],
  ] as const)("52: with keep_alive %p is to %s the model", (keepAlive, loads) => {
    const json = keepAlive === undefined ? {} : { keep_alive: keepAlive }
    for (const request of [decodeChat({ ...json, messages: [] }), decodeGenerate({ ...json, prompt: "" })]) {
      expect(request.reply).toMatchObject({ wantsNothing: true, loads })
    }
  })
  test("needs a model all the same", () => {
    expect(refusalOf(() => decodeGenerate({ model: "", prompt: "" }))).toMatchObject({ param: "model" })
  })
})
