/** Requests that break gateways, one by one: edge cases 1 to 34 of the dialect. */

import { describe, expect, test } from "bun:test"

import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"
import { conversationKey, conversationSeed } from "#protocols/conversation-seed.ts"

import { failureOf, functionCall, functionOutput, userText } from "../request-kit.ts"
import {
  assistant,
  decodeMessagesBody,
  encodeMessagesBody,
  inputOf,
  text,
  tool,
  toolResult,
  toolUse,
  toUpstream,
  user,
} from "./messages-kit.ts"

const ATTRIBUTION = "x-anthropic-billing-header: cc_version=2.1.0; cch=1a2b;"
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
const image = (data = PNG, type = "image/png"): JsonObject => ({
  type: "image",
  source: { type: "base64", media_type: type, data },
})
const seal = (content: string, origin = "") => `sluice1.${origin}.${content}`
const thinking = (signature: string, thought = "hm"): JsonObject => ({ type: "thinking", thinking: thought, signature })

function output(items: readonly JsonObject[], callId: string): Json | undefined {
  return items.find(item => item["type"] === "function_call_output" && item["call_id"] === callId)?.["output"]
}

function tools(body: JsonObject): readonly JsonObject[] {
  return (arrayAt(body, "tools") ?? []).filter(isJsonObject)
}

describe("system prompts", () => {
  test("1: attribution alone leaves empty instructions", () => {
    expect(toUpstream({ system: ATTRIBUTION })["instructions"]).toBe("")
  })

  test.each([`  \n${ATTRIBUTION}`, "x-anthropic-billing-header:cc_version=1"])(
    "2: %p is removed all the same",
    system => {
      expect(toUpstream({ system: [text(system), text("Be kind.")] })["instructions"]).toBe("Be kind.")
    },
  )

  test("3: what follows the attribution line in its block stays", () => {
    expect(toUpstream({ system: `${ATTRIBUTION}\nBe kind.\nBe brief.` })["instructions"]).toBe("Be kind.\nBe brief.")
    expect(toUpstream({ system: "Never send x-anthropic-billing-header: it is private." })["instructions"]).toContain(
      "private",
    )
  })

  test("4: a system message keeps its place, but never stands between a call and its output", () => {
    const system = { role: "system", content: [text("Now hurry."), text(ATTRIBUTION)] }
    const developer = { type: "message", role: "developer", content: [{ type: "input_text", text: "Now hurry." }] }
    expect(inputOf([user("a"), system, user("b")])).toEqual([userText("a"), developer, userText("b")])
    const items = inputOf([user("a"), assistant([toolUse("t1")]), system, user([toolResult("t1"), text("b")])])
    expect(items).toEqual([userText("a"), functionCall("t1"), functionOutput("t1"), developer, userText("b")])
  })
})

describe("the order of items", () => {
  test("5: an unknown role speaks as the user", () => {
    expect(inputOf([{ role: "narrator", content: "Once" }])).toEqual([userText("Once")])
  })

  test("6: text and calls of one assistant message keep their order", () => {
    const blocks = [text("one"), toolUse("a"), text("two"), toolUse("b")]
    const types = inputOf([user("x"), assistant(blocks), user([toolResult("a"), toolResult("b")])]).map(
      item => item["type"],
    )
    expect(types.slice(1, 5)).toEqual(["message", "function_call", "message", "function_call"])
  })

  test("7: text around a result keeps its side, and an image stays with the text it follows", () => {
    const blocks = [text("before"), toolResult("a"), text("after"), image()]
    const items = inputOf([user("x"), assistant([toolUse("a")]), user(blocks)])
    expect(items[2]).toEqual(functionOutput("a"))
    expect(items[3]).toEqual(userText("before"))
    expect(items[4]).toMatchObject({ content: [{ type: "input_text" }, { type: "input_image" }] })
  })
})

describe("tool results", () => {
  const round = (...results: readonly JsonObject[]) => [
    user("x"),
    assistant(results.map(result => toolUse(stringAt(result, "tool_use_id") ?? ""))),
    user(results),
  ]

  test("8: a result of nothing but an image is an array with that image", () => {
    expect(output(inputOf(round(toolResult("a", [image()]))), "a")).toEqual([
      { type: "input_image", image_url: `data:image/png;base64,${PNG}` },
    ])
  })

  test("9: among parallel results the image stays with its call", () => {
    const items = inputOf(round(toolResult("a"), toolResult("b", [text("see"), image()]), toolResult("c")))
    expect(output(items, "a")).toBe("ok")
    expect(output(items, "b")).toMatchObject([{ type: "input_text", text: "see" }, { type: "input_image" }])
    expect(output(items, "c")).toBe("ok")
  })

  test("10: a failed result says so, also when it says nothing else", () => {
    const items = inputOf(
      round(
        toolResult("a", "", { is_error: true }),
        toolResult("b", "not found", { is_error: true }),
        toolResult("c", "error: gone", { is_error: true }),
      ),
    )
    expect(["a", "b", "c"].map(id => output(items, id))).toEqual(["Error:", "Error: not found", "error: gone"])
  })

  test("11: an empty result is an empty text", () => {
    expect(output(inputOf(round(toolResult("a", []))), "a")).toBe("")
    expect(output(inputOf(round({ type: "tool_result", tool_use_id: "a" })), "a")).toBe("")
  })

  test("12: references are given by name", () => {
    const references = ["one", "two"].map(name => ({ type: "tool_reference", tool_name: name }))
    expect(output(inputOf(round(toolResult("a", references))), "a")).toBe("one\ntwo")
  })

  test("13: a call without a result gets one that says so", () => {
    const items = inputOf([user("x"), assistant([toolUse("a"), toolUse("b")]), user([toolResult("b"), text("go on")])])
    expect(output(items, "b")).toBe("ok")
    expect(output(items, "a")).toContain("not completed")
  })

  test("14: a result without a call is told as text", () => {
    expect(JSON.stringify(inputOf([user([toolResult("gone", "42")])]))).toContain(
      "Result of an earlier tool call (gone):\\n42",
    )
  })

  test("15: of two results for one call the last one counts", () => {
    const items = inputOf([
      user("x"),
      assistant([toolUse("a")]),
      user([toolResult("a", "old"), toolResult("a", "new")]),
    ])
    expect(items.filter(item => item["type"] === "function_call_output")).toEqual([functionOutput("a", "new")])
  })

  test("16: an id that is used again in a later turn is told apart, with its result", () => {
    const again = [
      assistant([toolUse("a")]),
      user([toolResult("a", "first")]),
      assistant([toolUse("a")]),
      user([toolResult("a", "second")]),
    ]
    const items = inputOf([user("x"), ...again])
    const calls = items.filter(item => item["type"] === "function_call").map(item => item["call_id"])
    expect(new Set(calls).size).toBe(2)
    expect(calls.map(id => output(items, String(id)))).toEqual(["first", "second"])
  })

  test("17: long ids that differ only at their end stay different", () => {
    const ids = ["x", "y"].map(end => "a".repeat(119) + end)
    const items = inputOf([
      user("x"),
      assistant(ids.map(id => toolUse(id))),
      user(ids.map(id => toolResult(id, id.at(-1)))),
    ])
    const calls = items.filter(item => item["type"] === "function_call").map(item => String(item["call_id"]))
    expect(new Set(calls).size).toBe(2)
    expect(calls.every(id => /^[\w-]{1,64}$/.test(id))).toBe(true)
    expect(calls.map(id => output(items, id))).toEqual(["x", "y"])
  })

  test("ids with odd characters are made legal without meeting each other", () => {
    const items = inputOf([
      user("x"),
      assistant([toolUse("a.b"), toolUse("a/b")]),
      user([toolResult("a/b", "2"), toolResult("a.b", "1")]),
    ])
    const calls = items.filter(item => item["type"] === "function_call").map(item => String(item["call_id"]))
    expect(calls.every(id => /^[\w-]{1,64}$/.test(id))).toBe(true)
    expect(calls.map(id => output(items, id))).toEqual(["1", "2"])
  })

  test("a result that comes before its call is put behind it", () => {
    const items = inputOf([user([toolResult("a", "early")]), assistant([toolUse("a")]), user("go on")])
    expect(items).toEqual([functionCall("a"), functionOutput("a", "early"), userText("go on")])
  })
})

describe("tools", () => {
  test("18: an input that is no object is no input", () => {
    for (const input of [null, 7, "text", []]) {
      expect(inputOf([user("x"), assistant([toolUse("a", "f", input)])])[1]).toMatchObject({ arguments: "{}" })
    }
    const bare = { type: "tool_use", id: "a", name: "f" }
    expect(inputOf([user("x"), assistant([bare])])[1]).toMatchObject({ arguments: "{}" })
  })

  test("18: an input that is the text of an object is that object", () => {
    expect(inputOf([user("x"), assistant([toolUse("a", "f", '{"b":1}')])])[1]).toMatchObject({ arguments: '{"b":1}' })
  })

  test("19: long names with the same end get different short ones, both known again", () => {
    const names = ["one", "two"].map(server => `mcp__${server.repeat(30)}__read_the_file`)
    const { body, toolNames } = encodeMessagesBody({ tools: names.map(name => tool(name)) })
    const short = tools(body).map(({ name }) => String(name))
    expect(new Set(short).size).toBe(2)
    expect(short.map(name => toolNames.get(name))).toEqual(names)
  })

  test("20: a past call of a long name that is no longer offered is shortened in the same way", () => {
    const name = `mcp__${"server".repeat(20)}__read`
    const history = [user("x"), assistant([toolUse("a", name)]), user([toolResult("a")])]
    const [, offered] = inputOf(history, { tools: [tool(name)] })
    const [, gone] = inputOf(history)
    expect(gone?.["name"]).toBe(String(offered?.["name"]))
  })

  test("21: without tools there is nothing to choose", () => {
    const body = toUpstream({ tools: [], tool_choice: { type: "any" } })
    expect(Object.keys(body)).not.toContain("tool_choice")
    expect(Object.keys(body)).not.toContain("parallel_tool_calls")
  })

  test("22: a search that is not offered is not forced; an offered one is; an unknown tool is refused", () => {
    const choice = { type: "tool", name: "web_search" }
    expect(toUpstream({ tools: [tool("f")], tool_choice: choice })["tool_choice"]).toBeUndefined()
    const search = { type: "web_search_20250305", name: "web_search" }
    expect(toUpstream({ tools: [search], tool_choice: choice })["tool_choice"]).toEqual({ type: "web_search" })
    const refused = failureOf(() => toUpstream({ tools: [tool("f")], tool_choice: { type: "tool", name: "g" } }))
    expect(refused.kind).toBe("invalid-request")
  })

  test("23: a pattern the upstream cannot read goes, and nothing else", () => {
    const property = { type: "string", pattern: "^\\p{L}+$", description: "a name", maxLength: 5 }
    const schema = {
      type: "object",
      properties: { a: property, b: { type: "string", pattern: "(?=x)y" }, c: { type: "string", pattern: "^a+$" } },
    }
    const parameters = objectAt(tools(toUpstream({ tools: [tool("f", schema)] }))[0] ?? {}, "parameters") ?? {}
    expect(parameters).toEqual({
      type: "object",
      properties: {
        a: { type: "string", description: "a name", maxLength: 5 },
        b: { type: "string" },
        c: { type: "string", pattern: "^a+$" },
      },
    })
  })

  test.each([
    ["bash_20250124", "bash", "command"],
    ["text_editor_20250728", "str_replace_based_edit_tool", "old_str"],
    ["memory_20250818", "memory", "new_path"],
  ])("24: %s is told to the model with its schema", (type, name, member) => {
    const [declared] = tools(toUpstream({ tools: [{ type, name }] }))
    expect(declared).toMatchObject({ type: "function", name, strict: false })
    expect(Object.keys(objectAt(objectAt(declared ?? {}, "parameters") ?? {}, "properties") ?? {})).toContain(member)
  })

  test.each(["computer_20250124", "web_fetch_20250910", "code_execution_20250825", "advisor_20260301"])(
    "24: %s is refused by name",
    type => {
      const error = failureOf(() => toUpstream({ tools: [{ type, name: "x" }, tool("f")] }))
      expect(error.message).toStartWith(`Input tag '${type}'`)
    },
  )

  test("search options are mapped, marks of the client removed, strict said out loud", () => {
    const location = { type: "approximate", city: "Bern", region: null }
    const search = {
      type: "web_search_20260318",
      name: "web_search",
      allowed_domains: ["a.org"],
      user_location: location,
      max_uses: 3,
    }
    const marked = tool(
      "f",
      { $schema: "x", type: "object", properties: { a: true, b: false } },
      { cache_control: {}, defer_loading: true },
    )
    expect(
      tools(toUpstream({ tools: [search, marked, { name: "DeferredToolPlaceholder", defer_loading: true }] })),
    ).toEqual([
      {
        type: "web_search",
        filters: { allowed_domains: ["a.org"] },
        user_location: { type: "approximate", city: "Bern" },
      },
      {
        type: "function",
        name: "f",
        description: "",
        parameters: { type: "object", properties: { a: {} } },
        strict: false,
      },
    ])
  })

  test("strict is kept only where the schema leaves nothing open", () => {
    const closed = {
      type: "object",
      properties: { a: { type: "string" } },
      required: ["a"],
      additionalProperties: false,
    }
    const open = { type: "object", properties: { a: { type: "string" } } }
    const declared = tools(
      toUpstream({ tools: [tool("f", closed, { strict: true }), tool("g", open, { strict: true })] }),
    )
    expect(declared.map(({ strict }) => strict)).toEqual([true, false])
  })

  test("tools that the conversation adds and takes away are the tools of the request", () => {
    const added = { type: "tool_addition", tool: { type: "tool_definition", definition: tool("late") } }
    const removed = { type: "tool_removal", tool: { type: "tool_reference", name: "early" } }
    const messages = [user("x"), { role: "system", content: [added, removed] }, user("y")]
    const body = toUpstream({ messages, tools: [tool("early"), tool("both")] })
    expect(tools(body).map(({ name }) => name)).toEqual(["both", "late"])
  })
})

describe("thinking that comes back", () => {
  const replayed = (blocks: readonly JsonObject[], origin?: string) =>
    (
      arrayAt(
        toUpstream({ messages: [user("x"), assistant(blocks), user("y")] }, origin === undefined ? {} : { origin }),
        "input",
      ) ?? []
    )
      .filter(isJsonObject)
      .filter(item => item["type"] === "reasoning")

  test("25: another vendor's signature is dropped, and the thought is not told", () => {
    const body = JSON.stringify(
      toUpstream({ messages: [user("x"), assistant([thinking("EqQBCgIYAhIk", "secret"), text("hi")])] }),
    )
    expect(body).not.toContain("secret")
    expect(body).not.toContain('"reasoning","summary"')
  })

  test("26: what another account has sealed is dropped", () => {
    const blocks = [thinking(seal("gAAAA_1", "abc")), text("hi")]
    expect(replayed(blocks, "abc")).toHaveLength(1)
    expect(replayed(blocks, "def")).toHaveLength(0)
  })

  test("27: a signature without a thought is reasoning without a summary", () => {
    expect(replayed([thinking(seal("gAAAA_1"), ""), text("hi")])).toEqual([
      { type: "reasoning", summary: [], encrypted_content: "gAAAA_1" },
    ])
  })

  test("reasoning repeated in one turn is sent once, and reasoning that nothing follows is not sent", () => {
    const one = thinking(seal("gAAAA_1"))
    expect(replayed([one, one, { type: "redacted_thinking", data: seal("gAAAA_2") }, text("hi")])).toHaveLength(2)
    expect(replayed([one])).toHaveLength(0)
  })
})

describe("what servers did, documents and images", () => {
  test("28: a search of an earlier turn is told as text, also a failed one", () => {
    const use = { type: "server_tool_use", id: "s1", name: "web_search", input: { query: "jam" } }
    const found = [{ type: "web_search_result", url: "https://a.org", title: "Jam", encrypted_content: "secret" }]
    const result = (content: Json) => ({ type: "web_search_tool_result", tool_use_id: "s1", content })
    const told = JSON.stringify(inputOf([user("x"), assistant([use, result(found), text("hi")])]))
    expect(told).toContain("https://a.org")
    expect(told).not.toContain("secret")
    const failed = { type: "web_search_tool_result_error", error_code: "unavailable" }
    expect(JSON.stringify(inputOf([user("x"), assistant([use, result(failed)])]))).toContain("failed")
  })

  test("29: a PDF is a file with a name that is one", () => {
    const source = { type: "base64", media_type: "application/pdf", data: "JVBERi0=" }
    const [item] = inputOf([
      user([
        { type: "document", source, title: "../a/Größe: 天気?" },
        { type: "document", source },
      ]),
    ])
    const files = (arrayAt(item ?? {}, "content") ?? []).filter(isJsonObject)
    expect(files[0]).toMatchObject({ type: "input_file", file_data: "data:application/pdf;base64,JVBERi0=" })
    expect(files[0]?.["filename"]).toMatch(/^[^./\\:?][^/\\:?]*\.pdf$/)
    expect(files[1]?.["filename"]).toBe("document.pdf")
  })

  test("documents of text and search results are told with their titles", () => {
    const document = {
      type: "document",
      title: "T",
      context: "C",
      source: { type: "text", media_type: "text/plain", data: "body" },
    }
    const result = { type: "search_result", title: "R", source: "https://a.org", content: [text("found")] }
    expect(JSON.stringify(inputOf([user([document, result])]))).toMatch(/T\\nC\\nbody.*R\\nhttps:\/\/a\.org.*found/)
  })

  test("30: the bytes decide what an image is, and an unknown kind is refused by its place", () => {
    expect(JSON.stringify(inputOf([user([image(PNG, "image/jpeg")])]))).toContain("data:image/png;base64")
    const error = failureOf(() =>
      inputOf([user("x"), user([text("see"), image(Buffer.from("BM..bitmap").toString("base64"))])]),
    )
    expect(error.param).toStartWith("messages.1.content.1")
  })

  test("images by address are passed, files that were uploaded elsewhere are named", () => {
    const url = { type: "image", source: { type: "url", url: "https://a.org/b.png" } }
    const file = { type: "image", source: { type: "file", file_id: "file_7" } }
    const told = JSON.stringify(inputOf([user([url, file, { type: "surprise", text: "kept" }, { type: "riddle" }])]))
    for (const part of ["https://a.org/b.png", "file_7", "kept", "[riddle]"]) expect(told).toContain(part)
  })
})

describe("who is asking", () => {
  test("31: the window's mark is taken off the name, which answers repeat", () => {
    for (const model of ["claude-opus-5[1m]", "claude-opus-5[1M]", "claude-opus-5:1m"]) {
      expect(decodeMessagesBody({ model }).model).toBe("claude-opus-5")
    }
  })

  test("32: a session is found in every form of the user id; a plain id is only a hint", () => {
    const of = (userId: string) => decodeMessagesBody({ metadata: { user_id: userId } })
    expect(of('{"device_id":"d","session_id":"s-1"}').sessionGroup).toBe("s-1")
    expect(of("user_ab12_account_cd34_session_0f-1e").sessionGroup).toBe("0f-1e")
    expect(of("someone@example.org")).toMatchObject({ sessionHint: "someone@example.org" })
    expect(of("{broken")).toMatchObject({ sessionHint: "{broken" })
    expect(of("someone@example.org").cacheKey).toBeUndefined()
  })

  test("33: sub-agents of a session have keys of their own and one group", () => {
    const agents = [{}, { "x-claude-code-agent-id": "a" }, { "x-claude-code-agent-id": "b" }].map(more =>
      decodeMessagesBody({}, { "x-claude-code-session-id": "s", ...more }),
    )
    const keys = agents.map(request => conversationKey(conversationSeed(request), "key"))
    expect(new Set(keys).size).toBe(3)
    expect(new Set(agents.map(request => request.sessionGroup))).toEqual(new Set(["s"]))
    expect(conversationKey(conversationSeed(agents[0] as never), "other key")).not.toBe(keys[0])
  })

  test("34: a long compaction request is an ordinary one", () => {
    const long = "word ".repeat(200_000)
    const [item] = inputOf([user([text(long), text("Summarise this.")])])
    expect(JSON.stringify(item).length).toBeGreaterThan(long.length)
  })
})

describe("options", () => {
  test.each([
    { thinking: { type: "disabled" }, config: {}, effort: "none", summary: "none", shown: undefined },
    { thinking: { type: "enabled", budget_tokens: 1024 }, config: {}, effort: "low", summary: "auto", shown: "shown" },
    {
      thinking: { type: "enabled", budget_tokens: 8000 },
      config: {},
      effort: "medium",
      summary: "auto",
      shown: "shown",
    },
    {
      thinking: { type: "enabled", budget_tokens: 20_000 },
      config: {},
      effort: "high",
      summary: "auto",
      shown: "shown",
    },
    {
      thinking: { type: "enabled", budget_tokens: 31_999 },
      config: {},
      effort: "xhigh",
      summary: "auto",
      shown: "shown",
    },
    {
      thinking: { type: "enabled", budget_tokens: 31_999 },
      config: { effort: "low" },
      effort: "low",
      summary: "auto",
      shown: "shown",
    },
    { thinking: { type: "adaptive" }, config: { effort: "max" }, effort: "max", summary: "auto", shown: "shown" },
    {
      thinking: { type: "adaptive" },
      config: { effort: "extreme" },
      effort: undefined,
      summary: "auto",
      shown: "shown",
    },
    {
      thinking: { type: "adaptive", display: "omitted" },
      config: {},
      effort: undefined,
      summary: "none",
      shown: "sealed",
    },
  ])("$thinking with $config", ({ thinking: thought, config, ...expected }) => {
    const { effort, summary, reply } = decodeMessagesBody({ thinking: thought, output_config: config })
    expect({ effort, summary, shown: reply.thinking }).toEqual(expected as never)
  })

  test("thinking nobody asked for is neither asked for upstream nor shown", () => {
    const request = decodeMessagesBody({})
    expect(request.reply.thinking).toBeUndefined()
    expect(toUpstream({})["reasoning"]).toBeUndefined()
  })

  test("what the upstream refuses or cannot do is left out", () => {
    const extras = {
      temperature: 0,
      top_p: 1,
      top_k: 5,
      stop_sequences: ["x"],
      service_tier: "auto",
      context_management: { edits: [] },
      betas: ["a"],
      surprise: 1,
    }
    expect(toUpstream(extras)).toEqual(toUpstream({}))
  })

  test("a schema for the answer is strict where it can be", () => {
    const schema = {
      type: "object",
      properties: { a: { type: "string" } },
      required: ["a"],
      additionalProperties: false,
    }
    const body = toUpstream({ output_config: { format: { type: "json_schema", schema } } })
    expect(body["text"]).toEqual({ format: { type: "json_schema", name: "response", schema, strict: true } })
    const old = toUpstream({
      output_format: { type: "json_schema", schema: { type: "object", properties: { a: {} } } },
    })
    expect(objectAt(objectAt(old, "text") ?? {}, "format")?.["strict"]).toBe(false)
  })

  test("threads are declined as the SDK expects it", () => {
    expect(failureOf(() => decodeMessagesBody({ thread: { type: "create" } }))).toMatchObject({
      kind: "invalid-request",
      code: "thread_unsupported_request",
    })
    expect(failureOf(() => decodeMessagesBody({ thread: { type: "continue" } }))).toMatchObject({
      kind: "not-found",
      code: "thread_not_found",
    })
  })

  test("speed and parallel calls are carried", () => {
    expect(decodeMessagesBody({ speed: "fast" }).serviceTier).toBe("fast")
    const body = toUpstream({ tools: [tool("f")], tool_choice: { type: "auto", disable_parallel_tool_use: true } })
    expect(body).toMatchObject({ tool_choice: "auto", parallel_tool_calls: false })
    expect(toUpstream({ tools: [tool("f")], tool_choice: { type: "none" } })).toMatchObject({ tool_choice: "none" })
  })

  test("messages in which nobody says anything are refused", () => {
    expect(failureOf(() => decodeMessagesBody({ messages: [user("")] })).kind).toBe("invalid-request")
    expect(failureOf(() => decodeMessagesBody({ messages: [{ role: "system", content: "x" }] })).kind).toBe(
      "invalid-request",
    )
  })
})
