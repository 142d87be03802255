/** The smaller addresses of the OpenAI API: legacy completions, token counts, search, and what is not served. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"

import { type JsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"

import { readEvents } from "../support/sse.ts"
import { type FaultGateway, PROMPT_MARK, startFaultGateway, turn } from "./fixture.ts"

setDefaultTimeout(20_000)

let gateway: FaultGateway

beforeAll(async () => {
  gateway = await startFaultGateway({ accounts: 2 })
})
afterAll(async () => {
  await gateway.idle()
  await gateway.stop()
})

const PREFIXES = ["/v1", "", "/backend-api/codex", "/v1/v1"] as const
const prompt = `${PROMPT_MARK}: once upon`

describe("legacy completions", () => {
  test.each(PREFIXES)("are served under %p", async prefix => {
    const reply = await gateway.post(`${prefix}/completions`, { model: "gpt-5.5", prompt })
    expect(reply.status).toBe(200)
    expect(reply.json()).toMatchObject({
      object: "text_completion",
      model: "gpt-5.5",
      choices: [{ index: 0, text: expect.stringMatching(/./), logprobs: null, finish_reason: "stop" }],
      usage: { prompt_tokens: expect.any(Number), completion_tokens: expect.any(Number) },
    })
  })

  test("stream their text, the counts when asked, and an end", async () => {
    const body = { model: "gpt-5.5", prompt: [prompt], stream: true, stream_options: { include_usage: true } }
    const reply = await gateway.post("/v1/completions", body)
    const frames = readEvents(reply.text).map(({ data }) => data)
    expect(frames.at(-1)).toBe("[DONE]")
    expect(JSON.parse(frames.at(-2) ?? "")).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } })
    expect(JSON.parse(frames[0] ?? "")).toMatchObject({ object: "text_completion", choices: [{ finish_reason: null }] })
  })

  test("are repaired on another account like any turn", async () => {
    gateway.control.clearRecorded()
    gateway.control.script({ scenario: "server-error", times: 1 })
    expect((await gateway.post("/v1/completions", { model: "gpt-5.5", prompt })).status).toBe(200)
    expect(gateway.turns()).toHaveLength(2)
  })

  test("refuse what they cannot give, in the OpenAI envelope", async () => {
    const reply = await gateway.post("/v1/completions", { model: "gpt-5.5", prompt: [1, 2] })
    expect(reply.status).toBe(400)
    expect(reply.json()["error"]).toMatchObject({ type: "invalid_request_error", param: "prompt" })
  })
})

test("input tokens are counted without asking any upstream, and grow with the input", async () => {
  gateway.control.clearRecorded()
  const countOf = async (body: JsonObject) =>
    numberAt((await gateway.post("/v1/responses/input_tokens", body)).json(), "input_tokens") ?? 0
  const short = await countOf({ model: "gpt-5.5", input: prompt })
  const long = await countOf({ model: "gpt-5.5", input: `${prompt} ${"word ".repeat(500)}` })
  expect(short).toBeGreaterThan(0)
  expect(long - short).toBeWithin(450, 560)
  expect(gateway.turns()).toHaveLength(0)
})

describe("search without a model turn", () => {
  const search = { id: "search-1", model: "gpt-5.5", commands: { search_query: [{ q: "brass lamps" }] } }

  test("is handed on with the upstream's answer, without what the endpoint refuses", async () => {
    gateway.control.clearRecorded()
    const reply = await gateway.post("/v1/alpha/search", { ...search, prompt_cache_key: "mine", store: false })
    expect(reply.status).toBe(200)
    expect(reply.json()).toMatchObject({ output: "Results for: brass lamps", encrypted_output: expect.any(String) })
    const [sent] = gateway.control.recorded({ path: "/alpha/search" })
    expect(sent?.body).toEqual(search)
  })

  test("takes another account when one is refused", async () => {
    gateway.control.clearRecorded()
    gateway.control.script({ endpoint: "search", scenario: "server-error", times: 1 })
    expect((await gateway.post("/v1/alpha/search", search)).status).toBe(200)
    expect(gateway.control.recorded({ path: "/alpha/search" })).toHaveLength(2)
  })

  test("without anything to look for is refused here", async () => {
    const reply = await gateway.post("/v1/alpha/search", { id: "search-2", model: "gpt-5.5" })
    expect(reply.status).toBe(400)
    expect(reply.json()["error"]).toMatchObject({ param: "commands" })
  })

  test("an upstream without the endpoint costs no account its place", async () => {
    gateway.control.script({ endpoint: "search", settings: { refuse: "not-found" }, times: 2 })
    expect((await gateway.post("/v1/alpha/search", search)).status).toBe(404)
    expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
    expect((await gateway.post("/v1/alpha/search", search)).status).toBe(200)
  })
})

describe("what Codex accounts have nothing behind", () => {
  test.each([
    ["POST", "/v1/embeddings", "Embeddings"],
    ["POST", "/embeddings", "Embeddings"],
    ["POST", "/v1/audio/speech", "Speech"],
    ["POST", "/v1/audio/transcriptions", "transcription"],
    ["POST", "/v1/moderations", "Moderations"],
    ["GET", "/v1/files", "Files"],
    ["GET", "/v1/files/file-1/content", "Files"],
    ["POST", "/v1/batches", "Batches"],
    ["POST", "/v1/images/variations", "Image variations"],
    ["DELETE", "/v1/threads/thread_1", "Threads"],
    ["POST", "/v1/fine_tuning/jobs", "Fine-tuning"],
  ])("%s %s is named as missing", async (method, path, what) => {
    const response = await fetch(`${gateway.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${gateway.key}` },
      ...(method === "POST" && { body: "not json" }),
    })
    expect(response.status).toBe(404)
    // The envelope is checked below; a body of another shape fails there.
    const error = objectAt((await response.json()) as JsonObject, "error") ?? {}
    expect(error).toMatchObject({ type: "invalid_request_error", code: "unsupported_endpoint", param: null })
    expect(stringAt(error, "message")).toContain(what)
  })

  test("is said only to who has a key", async () => {
    const response = await fetch(`${gateway.url}/v1/embeddings`, { method: "POST" })
    expect(response.status).toBe(401)
    await response.body?.cancel()
  })
})
