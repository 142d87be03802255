/** Requests that make no sense: always the envelope, never a 500, and the process lives on. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"

import fc from "fast-check"

import { arrayAt, isJsonObject, type Json, type JsonObject, stringAt } from "#core/json.ts"

import { chat, type FaultGateway, type Reply, startFaultGateway, turn } from "./fixture.ts"

setDefaultTimeout(30_000)

let gateway: FaultGateway

beforeAll(async () => {
  gateway = await startFaultGateway({ accounts: 2, simulator: { recordLimit: 10_000 } })
})
afterAll(async () => {
  await gateway.idle()
  await gateway.stop()
})

function expectEnvelope(reply: Reply): JsonObject {
  expect(reply.headers.get("content-type")).toStartWith("application/json")
  const error = reply.json()["error"]
  if (!isJsonObject(error)) throw new Error(`no error object: ${reply.text}`)
  const { message, type, param, code } = error
  expect({ message: typeof message, type: typeof type, code: typeof code }).toEqual({
    message: "string",
    type: "string",
    code: "string",
  })
  expect(param === null || typeof param === "string").toBe(true)
  expect(reply.headers.get("x-request-id")).toMatch(/^req_[0-9a-z]+$/)
  return error
}

const CHAT_FIELDS = [
  "model",
  "messages",
  "stream",
  "stream_options",
  "tools",
  "tool_choice",
  "functions",
  "function_call",
  "response_format",
  "reasoning_effort",
  "verbosity",
  "max_tokens",
  "max_completion_tokens",
  "temperature",
  "top_p",
  "n",
  "stop",
  "seed",
  "user",
  "metadata",
  "store",
  "logprobs",
  "top_logprobs",
  "logit_bias",
  "presence_penalty",
  "parallel_tool_calls",
  "service_tier",
  "modalities",
  "audio",
  "prediction",
  "web_search_options",
  "prompt_cache_key",
  "safety_identifier",
  "unknown_field",
] as const

const RESPONSES_FIELDS = [
  "model",
  "input",
  "instructions",
  "stream",
  "stream_options",
  "tools",
  "tool_choice",
  "text",
  "reasoning",
  "include",
  "store",
  "previous_response_id",
  "conversation",
  "background",
  "prompt",
  "truncation",
  "max_output_tokens",
  "max_tool_calls",
  "temperature",
  "top_p",
  "top_logprobs",
  "user",
  "metadata",
  "parallel_tool_calls",
  "service_tier",
  "prompt_cache_key",
  "safety_identifier",
  "context_management",
  "unknown_field",
] as const

const WRONG_VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  "",
  "text",
  [],
  [null],
  [[]],
  {},
  { type: 7 },
  [{ type: "x" }],
]

const DIALECTS = [
  { dialect: "chat completions", path: "/v1/chat/completions", base: chat(), fields: CHAT_FIELDS },
  { dialect: "responses", path: "/v1/responses", base: turn(), fields: RESPONSES_FIELDS },
] as const

/** A client's mistake is a 4xx in the envelope; what is served although it is odd is a 200. */
function expectSane(reply: Reply, sent: unknown): void {
  if (reply.status === 200) return
  const shown = { status: reply.status, sent: JSON.stringify(sent), got: reply.text }
  expect(shown).toMatchObject({ status: expect.any(Number) })
  if (reply.status < 400 || reply.status >= 500) throw new Error(`not the client's mistake: ${JSON.stringify(shown)}`)
  expectEnvelope(reply)
}

/** A Responses client may know item types that came after this gateway: they are relayed, not judged. */
function hasUnknownType(body: Json | undefined): boolean {
  if (!isJsonObject(body)) return false
  const entries = [...(arrayAt(body, "input") ?? []), ...(arrayAt(body, "tools") ?? [])]
  return entries.some(entry => !isJsonObject(entry) || !["message", "function"].includes(stringAt(entry, "type") ?? ""))
}

describe.each(DIALECTS)("$dialect", ({ path, base, fields }) => {
  test("every top-level field with every kind of wrong value", async () => {
    const bodies = fields.flatMap(field => WRONG_VALUES.map(value => ({ ...base, [field]: value })))
    for (let at = 0; at < bodies.length; at += 8) {
      const slice = bodies.slice(at, at + 8)
      const replies = await Promise.all(slice.map(body => gateway.post(path, body)))
      for (const [index, reply] of replies.entries()) expectSane(reply, slice[index])
    }
  })

  test("any JSON in any two fields", async () => {
    const odd = fc.dictionary(fc.constantFrom(...fields), fc.jsonValue({ maxDepth: 3 }), { minKeys: 1, maxKeys: 2 })
    await fc.assert(
      fc.asyncProperty(odd, async fieldsGiven => {
        const body = { ...base, ...fieldsGiven }
        expectSane(await gateway.post(path, body), body)
      }),
      { numRuns: 150 },
    )
  })

  test("what passes is never refused upstream, unless it is an item or tool of a type nobody knows", async () => {
    const refused = gateway.turns().filter(({ status }) => status !== undefined && status >= 400)
    expect(refused.filter(({ body }) => !hasUnknownType(body)).map(({ body }) => body)).toEqual([])
  })

  test("an unknown model is 404 with names that are close", async () => {
    const reply = await gateway.post(path, { ...base, model: "gpt-5.55" })
    expect(reply.status).toBe(404)
    const error = expectEnvelope(reply)
    expect(error).toMatchObject({ type: "invalid_request_error", code: "model_not_found", param: "model" })
    expect(error["message"]).toContain("gpt-5.5")
  })
})

describe("addresses and methods", () => {
  test("an unknown address is a JSON 404", async () => {
    for (const path of ["/v1/nothing", "/", "/v2/models", "/v1/chat", "/dashboard/../etc/passwd"]) {
      const reply = await gateway.get(path)
      expect(reply.status).toBe(404)
      expect(expectEnvelope(reply)["type"]).toBe("invalid_request_error")
    }
  })

  test("a wrong method is a JSON refusal that says so", async () => {
    for (const [method, path] of [
      ["GET", "/v1/chat/completions"],
      ["DELETE", "/v1/responses"],
      ["PUT", "/v1/models"],
      ["POST", "/health"],
    ] as const) {
      const response = await fetch(`${gateway.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${gateway.key}` },
      })
      const reply = { status: response.status, headers: response.headers, text: await response.text() }
      expect([404, 405]).toContain(reply.status)
      expectEnvelope({ ...reply, json: () => JSON.parse(reply.text) })
    }
  })

  test("GET /v1/responses that is no whole handshake is told what it lacks", async () => {
    for (const path of ["/v1/responses", "/responses", "/backend-api/codex/responses"]) {
      const reply = await gateway.get(path, { connection: "Upgrade", upgrade: "websocket" })
      expect([path, reply.status]).toEqual([path, 400])
      expectEnvelope(reply)
      const plain = await gateway.get(path)
      expect([path, plain.status]).toEqual([path, 426])
      expectEnvelope(plain)
    }
  })

  test("broken percent signs in an address are the client's mistake", async () => {
    for (const path of ["/v1/models/%E0%A4%A", "/v1/models/%", "/v1/models/a%2Fb", "/v1/%zz"]) {
      const reply = await gateway.get(path)
      expect({ path, status: reply.status }).toEqual({ path, status: 404 })
      expectEnvelope(reply)
    }
  })
})

describe("client keys", () => {
  const places: readonly (readonly [string, (key: string) => RequestInit & { readonly query?: string }])[] = [
    ["Authorization", key => ({ headers: { authorization: `Bearer ${key}` } })],
    ["x-api-key", key => ({ headers: { "x-api-key": key } })],
    ["x-goog-api-key", key => ({ headers: { "x-goog-api-key": key } })],
    ["?key=", key => ({ query: `?key=${encodeURIComponent(key)}` })],
  ]

  test.each(places)("%s carries the key; a wrong one is 401 in the envelope", async (_, place) => {
    const ask = async (key: string): Promise<Reply> => {
      const { query = "", headers = {} } = place(key)
      // An address of one dialect only: at the models' address the header also says who asks.
      const response = await fetch(`${gateway.url}/v1/chat/completions${query}`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify(chat()),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) }
    }
    expect((await ask(gateway.key)).status).toBe(200)
    const refused = await ask("sk-wrong")
    expect(refused.status).toBe(401)
    expect(expectEnvelope(refused)).toMatchObject({ type: "invalid_request_error", code: "invalid_api_key" })
    expect(refused.text).not.toContain("sk-wrong")
  })

  test("no key at all is 401, and health needs none", async () => {
    for (const path of ["/v1/models", "/stats", "/v1/responses"]) {
      const response = await fetch(`${gateway.url}${path}`)
      expect(response.status).toBe(401)
      await response.arrayBuffer()
    }
    for (const path of ["/health", "/health/live", "/health/ready"]) {
      const response = await fetch(`${gateway.url}${path}`)
      expect(response.status).toBe(200)
      await response.arrayBuffer()
    }
  })
})
