import { describe, expect, test } from "bun:test"

import { encodeResponsesRequest } from "#protocols/openai-responses/encode-request.ts"

import {
  CODEX_HEADERS,
  decodeResponses,
  failureOf,
  functionCall,
  inputOfItems,
  itemsOf,
  makeModelInfo,
  makePlan,
  responsesToUpstream,
  userText,
} from "../../request-kit.ts"

const LITE_HEADERS = { ...CODEX_HEADERS, "x-openai-internal-codex-responses-lite": "true" }

describe("tools", () => {
  const f = { type: "function", name: "f", parameters: { type: "object", properties: {} } }

  test("an omitted strict is left alone for Responses clients", () => {
    expect(responsesToUpstream({ input: "hi", tools: [f] })["tools"]).toEqual([f])
  })

  test("namespaces, tool searches, custom and reserved tools are not touched", () => {
    const tools = [
      { type: "namespace", name: "mcp__x", tools: [{ type: "function", name: "n".repeat(90) }] },
      { type: "tool_search", execution: "client", parameters: { type: "array" } },
      { type: "custom", name: "c.d", format: { type: "grammar", syntax: "lark", definition: "x" } },
      { type: "function", name: "collaboration.spawn", parameters: { type: "object" } },
    ]
    const { body, toolNames } = encodeResponsesRequest(decodeResponses({ input: "hi", tools }), makePlan())
    expect(body["tools"]).toEqual(tools)
    expect(toolNames.size).toBe(0)
  })

  test("calls of namespaces and custom tools keep their names, others follow the declared tool", () => {
    const long = "n".repeat(80)
    const items = [
      { ...functionCall("c1", long), namespace: "mcp__x" },
      functionCall("c2", long),
      { type: "custom_tool_call", call_id: "c3", name: "c.d", input: "" },
      functionCall("c4", "collaboration.spawn"),
    ]
    const names = inputOfItems(items)
      .map(item => item["name"])
      .filter(name => name !== undefined)
    expect(names).toEqual([long, "n".repeat(64), "c.d", "collaboration.spawn"])
  })

  test("nested chat shapes are accepted beside flat ones", () => {
    const tools = [{ type: "function", function: { name: "g", parameters: f.parameters } }, f]
    expect(responsesToUpstream({ input: "hi", tools })["tools"]).toEqual([{ ...f, name: "g" }, f])
  })

  test("unknown keys of functions and of web search are kept for Codex only", () => {
    const tools = [
      { ...f, x_vendor: 1 },
      { type: "web_search", external_web_access: true },
    ]
    expect(responsesToUpstream({ input: "hi", tools })["tools"]).toEqual([f, { type: "web_search" }])
    expect(responsesToUpstream({ input: "hi", tools }, {}, CODEX_HEADERS)["tools"]).toEqual(tools)
  })

  test("the image tool and a choice of it go where the model has none", () => {
    const json = {
      input: "hi",
      tools: [{ type: "image_generation", size: "auto", style: "vivid" }],
      tool_choice: { type: "image_generation" },
    }
    expect(responsesToUpstream(json)["tools"]).toEqual([{ type: "image_generation", size: "auto" }])
    const modelInfo = makeModelInfo({ supportsImageTool: false })
    expect(responsesToUpstream(json, { modelInfo })).not.toContainAnyKeys(["tools", "tool_choice"])
  })

  test("exact repeats are sent once", () => {
    expect(responsesToUpstream({ input: "hi", tools: [f, f] })["tools"]).toEqual([f])
  })

  test("129 tools are refused, 128 are not", () => {
    const tools = Array.from({ length: 129 }, (_, index) => ({ ...f, name: `f${index}` }))
    expect(failureOf(() => responsesToUpstream({ input: "hi", tools }))).toMatchObject({
      kind: "invalid-request",
      param: "tools",
    })
    expect(responsesToUpstream({ input: "hi", tools: tools.slice(1) })["tools"]).toHaveLength(128)
  })

  test("the way back leads from the shortened name to the client's", () => {
    const name = `mcp__${"s".repeat(70)}__go`
    const { toolNames } = encodeResponsesRequest(decodeResponses({ input: "hi", tools: [{ ...f, name }] }), makePlan())
    expect([...toolNames]).toEqual([["mcp__go", name]])
  })
})

describe("parallel calls", () => {
  test("the client's word holds while there are tools, in the body or in the input", () => {
    const tools = [{ type: "function", name: "f" }]
    expect(responsesToUpstream({ input: "hi", tools, parallel_tool_calls: false })["parallel_tool_calls"]).toBe(false)
    const input = [{ type: "additional_tools", role: "developer", tools }, userText("hi")]
    expect(responsesToUpstream({ input, parallel_tool_calls: true })["parallel_tool_calls"]).toBe(true)
    expect(responsesToUpstream({ input: "hi", parallel_tool_calls: true })).not.toHaveProperty("parallel_tool_calls")
  })

  test("the reduced lane never has them, keeps its tools in the input and gets no instructions", () => {
    const additional = { type: "additional_tools", role: "developer", tools: [{ type: "custom", name: "exec" }] }
    const body = responsesToUpstream(
      { input: [additional, userText("hi")], parallel_tool_calls: true },
      {},
      LITE_HEADERS,
    )
    expect(body["parallel_tool_calls"]).toBe(false)
    expect(itemsOf(body)[0]).toEqual(additional)
    expect(body).not.toHaveProperty("instructions")
  })
})
