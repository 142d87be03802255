/** What the simulated backend refuses, with the bodies it refuses with. */

import { expect, test } from "bun:test"

import type { Json, JsonObject } from "#core/json.ts"
import { seal } from "#simulator/seal.ts"

import { GOOD_BODY, headersFor, postTurn, saying, withSimulator } from "./client.ts"

const MESSAGE = { type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] }
const CALL = { type: "function_call", call_id: "call_1", name: "add", arguments: "{}" }
const OUTPUT = { type: "function_call_output", call_id: "call_1", output: "5" }

function withInput(...items: readonly Json[]): JsonObject {
  return { ...GOOD_BODY, input: items }
}

function withTool(tool: Json): JsonObject {
  return { ...GOOD_BODY, tools: [tool] }
}

function withParameters(parameters: Json, extra: JsonObject = {}): JsonObject {
  return withTool({ type: "function", name: "read", parameters, ...extra })
}

function detail(text: Json): JsonObject {
  return { detail: text }
}

function error(message: string, code: string | null, param: string | null): JsonObject {
  return { error: { message, type: "invalid_request_error", param, code } }
}

function without(key: string): JsonObject {
  return Object.fromEntries(Object.entries(GOOD_BODY).filter(([name]) => name !== key))
}

type Case = readonly [
  name: string,
  body: JsonObject,
  status: number,
  answer: JsonObject,
  headers?: Record<string, string>,
]

const LONG = "x".repeat(65)

const CASES: readonly Case[] = [
  ["store left out", without("store"), 400, detail("Store must be set to false")],
  ["stream false", { ...GOOD_BODY, stream: false }, 400, detail("Stream must be set to true")],
  ["a bare string as input", { ...GOOD_BODY, input: "hi" }, 400, detail("Input must be a list")],
  ["no instructions", without("instructions"), 400, detail("Instructions are required")],
  ["an output cap", { ...GOOD_BODY, max_output_tokens: 5 }, 400, detail("Unsupported parameter: max_output_tokens")],
  ["sampling", { ...GOOD_BODY, temperature: 1 }, 400, detail("Unsupported parameter: temperature")],
  [
    "a previous response",
    { ...GOOD_BODY, previous_response_id: "resp_1" },
    400,
    detail("Unsupported parameter: previous_response_id"),
  ],
  [
    "a foreign tool",
    withTool({ type: "web_search_preview" }),
    400,
    detail("Unsupported tool type: web_search_preview"),
  ],
  ["a tool without type", withTool({ name: "x" }), 400, detail("Unsupported tool type: None")],
  [
    "a system message",
    withInput({ role: "system", content: "be kind" }),
    400,
    detail("System messages are not allowed"),
  ],
  ["another tier", { ...GOOD_BODY, service_tier: "flex" }, 400, detail("Unsupported service_tier: flex")],
  [
    "a gated model for a foreign client",
    { ...GOOD_BODY, model: "gpt-5.6-luna" },
    404,
    error("Model not found gpt-5.6-luna", null, "model"),
    { originator: "opencode" },
  ],
  [
    "a gated model when only the user agent is foreign",
    { ...GOOD_BODY, model: "gpt-5.6-luna" },
    404,
    error("Model not found gpt-5.6-luna", null, "model"),
    { "user-agent": "curl/8.0" },
  ],
  ["an unknown model", { ...GOOD_BODY, model: "gpt-99" }, 404, error("Model not found gpt-99", null, "model")],
  [
    "an old client",
    { ...GOOD_BODY, model: "gpt-6-astra" },
    400,
    detail(
      "The 'gpt-6-astra' model requires a newer version of Codex. Please upgrade to the latest app or CLI and try again.",
    ),
    { version: "0.152.0" },
  ],
  [
    "a retired model",
    { ...GOOD_BODY, model: "gpt-5.4" },
    400,
    detail("The 'gpt-5.4' model is not supported when using Codex with a ChatGPT account."),
  ],
  [
    "a model of another plan",
    { ...GOOD_BODY, model: "gpt-5.3-codex-spark" },
    400,
    detail("The 'gpt-5.3-codex-spark' model is not supported when using Codex with a ChatGPT account."),
  ],
  [
    "an id that is too long",
    withInput({ ...MESSAGE, id: `msg_${LONG}` }),
    400,
    error(
      "Invalid 'input[0].id': string too long. Expected a string with maximum length 64, but got a string with length 69 instead.",
      "string_above_max_length",
      "input[0].id",
    ),
  ],
  [
    "an id with a foreign prefix",
    withInput(MESSAGE, { ...CALL, id: "call_1" }, OUTPUT),
    400,
    error("Invalid 'input[1].id': 'call_1'. Expected an ID that begins with 'fc'.", "invalid_value", "input[1].id"),
  ],
  [
    "an id with foreign letters",
    withInput({ ...MESSAGE, id: "msg 1" }),
    400,
    error(
      "Invalid 'input[0].id': 'msg 1'. Expected an ID that contains letters, numbers, underscores, or dashes, but this value contained additional characters.",
      "invalid_value",
      "input[0].id",
    ),
  ],
  [
    "a call id that is too long",
    withInput({ ...CALL, call_id: LONG }, { ...OUTPUT, call_id: LONG }),
    400,
    error(
      "Invalid 'input[0].call_id': string too long. Expected a string with maximum length 64, but got a string with length 65 instead.",
      "string_above_max_length",
      "input[0].call_id",
    ),
  ],
  [
    "an output without its call",
    withInput(MESSAGE, OUTPUT),
    400,
    error("No tool call found for function call output with call_id call_1.", null, "input"),
  ],
  [
    "an output before its call",
    withInput(OUTPUT, CALL),
    400,
    error("No tool call found for function call output with call_id call_1.", null, "input"),
  ],
  [
    "a call without an output",
    withInput(MESSAGE, CALL),
    400,
    error("No tool output found for function call call_1.", null, "input"),
  ],
  [
    "a free text call answered as a function",
    withInput({ type: "custom_tool_call", call_id: "call_1", name: "patch", input: "x" }, OUTPUT),
    400,
    error("No tool call found for function call output with call_id call_1.", null, "input"),
  ],
  [
    "arguments as an object",
    withInput({ ...CALL, arguments: {} }, OUTPUT),
    400,
    error(
      "Invalid type for 'input[0].arguments': expected a string, but got an object instead.",
      "invalid_type",
      "input[0].arguments",
    ),
  ],
  [
    "reasoning that was never stored",
    withInput({ type: "reasoning", id: "rs_1", summary: [] }, MESSAGE),
    404,
    error(
      "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item from your input.",
      null,
      "input",
    ),
  ],
  [
    "raw reasoning text",
    withInput({ type: "reasoning", summary: [], content: [{ type: "reasoning_text", text: "a" }] }, MESSAGE),
    400,
    error(
      "Invalid 'input[0].content': array too long. Expected an array with maximum length 0, but got an array with length 1 instead.",
      "array_above_max_length",
      "input[0].content",
    ),
  ],
  [
    "a content part of another role",
    withInput({ type: "message", role: "assistant", content: [{ type: "input_text", text: "a" }] }),
    400,
    error(
      "Invalid value: 'input_text'. Supported values are: 'output_text' and 'refusal'.",
      "invalid_value",
      "input[0].content[0].type",
    ),
  ],
  [
    "a compaction trigger in the middle",
    withInput({ type: "compaction_trigger" }, MESSAGE),
    400,
    error("The 'compaction_trigger' item must be the final input item.", null, "input"),
  ],
  [
    "a cache breakpoint",
    withInput({
      type: "message",
      role: "user",
      content: [{ type: "input_text", text: "a", prompt_cache_breakpoint: {} }],
    }),
    400,
    error(
      "prompt_cache_breakpoint is not supported on this model",
      "unsupported_parameter",
      "input[0].content[0].prompt_cache_breakpoint",
    ),
  ],
  [
    "a tool name with a dot",
    withTool({ type: "function", name: "a.b", parameters: { type: "object", properties: {} } }),
    400,
    error(
      "Invalid 'tools[0].name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
      "invalid_value",
      "tools[0].name",
    ),
  ],
  [
    "129 tools",
    { ...GOOD_BODY, tools: Array.from({ length: 129 }, () => ({ type: "web_search" })) },
    400,
    error(
      "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 129 instead.",
      "array_above_max_length",
      "tools",
    ),
  ],
  [
    "an array without items",
    withParameters({ type: "object", properties: { paths: { type: "array" } } }),
    400,
    error(
      "Invalid schema for function 'read': In context=('properties', 'paths'), array schema missing items.",
      "invalid_function_parameters",
      "tools[0].parameters",
    ),
  ],
  [
    "null parameters",
    withParameters(null),
    400,
    error(
      "Invalid schema for function 'read': schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'.",
      "invalid_function_parameters",
      "tools[0].parameters",
    ),
  ],
  [
    "a strict function with an open object",
    withParameters({ type: "object", properties: {} }, { strict: true }),
    400,
    error(
      "Invalid schema for function 'read': In context=(), 'additionalProperties' is required to be supplied and to be false.",
      "invalid_function_parameters",
      "tools[0].parameters",
    ),
  ],
  [
    "JSON mode without the word",
    { ...GOOD_BODY, text: { format: { type: "json_object" } } },
    400,
    error(
      "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
      null,
      "input",
    ),
  ],
  [
    "an effort the model does not list",
    { ...GOOD_BODY, model: "gpt-5.5", reasoning: { effort: "max" } },
    400,
    error(
      "Unsupported value: 'max' is not supported with the 'gpt-5.5' model. Supported values are: 'low', 'medium', 'high', and 'xhigh'.",
      "unsupported_value",
      "reasoning.effort",
    ),
  ],
  [
    "a forced tool that is not offered",
    { ...GOOD_BODY, tool_choice: { type: "function", name: "gone" } },
    400,
    error("Tool choice 'function' not found in 'tools' parameter.", null, "tool_choice"),
  ],
  [
    "the reduced lane on another model",
    { ...GOOD_BODY, model: "gpt-5.5" },
    400,
    error(
      "This model is not supported when using X-OpenAI-Internal-Codex-Responses-Lite",
      "unsupported_value",
      "model",
    ),
    { "x-openai-internal-codex-responses-lite": "true" },
  ],
]

for (const [name, body, status, answer, headers] of CASES) {
  test(`${name} is refused`, () =>
    withSimulator(async simulator => {
      const response = await postTurn(simulator, body, headers === undefined ? {} : { headers })
      expect(await response.json()).toEqual(answer)
      expect(response.status).toBe(status)
      expect(response.headers.get("server")).toBe("sluice-simulator")
    }))
}

test("a good request passes", () =>
  withSimulator(async simulator => {
    expect((await postTurn(simulator, GOOD_BODY)).status).toBe(200)
  }))

test("reasoning sealed for one account is refused on another and taken by its own", () =>
  withSimulator(
    async simulator => {
      const [own] = simulator.control.accounts()
      if (own === undefined) throw new Error("no account")
      const blob = seal(own, { nowSec: 1_790_000_000, filler: "x" })
      const body = withInput({ type: "reasoning", summary: [], content: null, encrypted_content: blob }, MESSAGE)
      expect(blob).toStartWith("gAAAA")
      expect((await postTurn(simulator, body)).status).toBe(200)
      const refused = await postTurn(simulator, body, { account: "account-2" })
      expect(refused.status).toBe(400)
      expect(await refused.json()).toMatchObject({ error: { code: "invalid_encrypted_content", param: null } })
    },
    { accounts: 2 },
  ))

test("access is checked in order: token, state of the account, workspace", () =>
  withSimulator(async simulator => {
    const { control } = simulator
    const post = (headers: Record<string, string> = {}) => postTurn(simulator, {}, { headers })
    expect(await (await post({ authorization: "" })).json()).toEqual({ detail: "Unauthorized" })
    expect(await (await post({ authorization: "Bearer nonsense" })).json()).toEqual({
      detail: "Could not parse your authentication token. Please try signing in again.",
    })
    const mismatch = await post({ "chatgpt-account-id": "another" })
    expect([mismatch.status, await mismatch.json()]).toEqual([403, { detail: { code: "invalid_workspace_selected" } }])
    control.updateAccount("account-1", { lifecycle: "workspace-deactivated" })
    const closed = await post()
    expect([closed.status, await closed.json()]).toEqual([402, { detail: { code: "deactivated_workspace" } }])
    control.markAccess("account-1", "invalidated")
    const revoked = await post()
    expect(revoked.headers.get("x-openai-authorization-error")).toBe("token_invalidated")
    expect(await revoked.json()).toEqual({
      error: {
        message: "Your authentication token has been invalidated. Please try signing in again.",
        type: "invalid_request_error",
        code: "token_invalidated",
        param: null,
      },
      status: 401,
    })
  }))

test("an access token is refused once its time is over", async () => {
  let nowMs = 1_790_000_000_000
  await withSimulator(
    async simulator => {
      expect((await postTurn(simulator, GOOD_BODY)).status).toBe(200)
      nowMs += 864_000_000
      const response = await postTurn(simulator, GOOD_BODY)
      expect(await response.json()).toMatchObject({ error: { code: "token_expired" }, status: 401 })
    },
    { clock: () => nowMs },
  )
})

test("bodies compressed with zstd and gzip are read, damaged ones refused", () =>
  withSimulator(async simulator => {
    const post = (body: Uint8Array<ArrayBuffer> | string, encoding: string) =>
      fetch(`${simulator.url}/backend-api/codex/responses`, {
        method: "POST",
        headers: { ...headersFor(simulator), "content-encoding": encoding },
        body,
      })
    const text = JSON.stringify(saying("hi"))
    expect((await post(new Uint8Array(Bun.zstdCompressSync(text)), "zstd")).status).toBe(200)
    expect((await post(Bun.gzipSync(text), "gzip")).status).toBe(200)
    expect(await (await post("not zstd", "zstd")).json()).toEqual({ detail: "Bad Request" })
  }))

test("the public paths take a key instead and none of the backend's restrictions", () =>
  withSimulator(async simulator => {
    const key = simulator.control.accounts()[0]?.apiKey ?? ""
    const post = (body: JsonObject, apiKey: string) =>
      fetch(`${simulator.url}/v1/responses`, {
        method: "POST",
        headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      })
    const whole = await post({ model: "gpt-5.5", input: "What is 2 + 3?", max_output_tokens: 100, temperature: 0 }, key)
    expect(await whole.json()).toMatchObject({ object: "response", status: "completed", output: [{ type: "message" }] })
    expect(whole.headers.has("x-codex-plan-type")).toBe(false)
    expect((await post({ model: "gpt-5.5", input: "hi" }, "sk-other")).status).toBe(401)
  }))

test("the older compaction endpoint is gone unless it is switched on", () =>
  withSimulator(async simulator => {
    const compact = () =>
      fetch(`${simulator.url}/backend-api/codex/responses/compact`, {
        method: "POST",
        headers: headersFor(simulator),
        body: JSON.stringify({ model: "gpt-5.6-terra", input: [MESSAGE] }),
      })
    expect((await compact()).status).toBe(404)
    simulator.control.setRules({ serveCompactV1: true })
    expect(await (await compact()).json()).toMatchObject({ output: [MESSAGE, { type: "compaction" }] })
  }))

test("what the Codex CLI sends back after a tool round is taken", () =>
  withSimulator(async simulator => {
    const [account] = simulator.control.accounts()
    if (account === undefined) throw new Error("no account")
    const blob = seal(account, { nowSec: 1_790_000_000, filler: "x" })
    const input = [
      { type: "message", id: "msg_1", role: "developer", content: [{ type: "input_text", text: "Be brief." }] },
      { ...MESSAGE, id: "msg_2" },
      { type: "reasoning", id: "rs_1", summary: [], content: null, encrypted_content: blob },
      { ...CALL, id: "fc_1", namespace: "mcp__files" },
      { ...OUTPUT, id: "fco_1", output: [{ type: "input_text", text: "5" }] },
      {
        type: "local_shell_call",
        id: "lsh_1",
        call_id: "call_2",
        status: "completed",
        action: { type: "exec", command: [] },
      },
      { ...OUTPUT, call_id: "call_2" },
    ]
    const tools = [
      { type: "function", name: "exec_command", parameters: { type: "object", properties: {} }, strict: false },
      { type: "namespace", name: "multi_agent_v1", description: "", tools: [] },
      { type: "custom", name: "apply_patch", format: { type: "grammar", syntax: "lark", definition: "start: /.+/" } },
      { type: "tool_search", execution: "client", description: "", parameters: {} },
      { type: "web_search", external_web_access: true },
    ]
    const body = {
      ...withInput(...input),
      tools,
      tool_choice: "auto",
      parallel_tool_calls: true,
      reasoning: { summary: "auto" },
      include: ["reasoning.encrypted_content"],
      prompt_cache_key: "6f0c2f0a-0000-4000-8000-00000000000a",
      client_metadata: { session_id: "a" },
      stream_options: { reasoning_summary_delivery: "sequential_cutoff" },
      service_tier: "priority",
      text: { verbosity: "low" },
    }
    const response = await postTurn(simulator, body)
    expect([response.status, response.ok ? "" : await response.text()]).toEqual([200, ""])
  }))

test("the reduced lane carries its tools and instructions in the input", () =>
  withSimulator(async simulator => {
    const tools = [{ type: "namespace", name: "functions", tools: [{ type: "custom", name: "exec" }] }]
    const body = {
      ...without("instructions"),
      input: [{ type: "additional_tools", role: "developer", tools }, MESSAGE],
      parallel_tool_calls: false,
      reasoning: { effort: "medium", context: "all_turns" },
    }
    const response = await postTurn(simulator, body, { headers: { "x-openai-internal-codex-responses-lite": "true" } })
    expect(response.status).toBe(200)
  }))
