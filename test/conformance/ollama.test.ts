import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"

import { isJsonObject, type JsonObject } from "#core/json.ts"

import { freePort } from "../support/binary.ts"
import { type OllamaClient, runOllamaClient } from "../support/ollama-clients.ts"
import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated-gateway.ts"

setDefaultTimeout(120_000)

const TURNS = { path: "/backend-api/codex/responses" }
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
const MODEL = "gpt-5.5:latest"
const port = freePort()

let gateway: SimulatedGateway

beforeAll(async () => {
  gateway = await startSimulatedGateway({ settings: { ollama: { enabled: true, port } } })
})
afterEach(() => {
  gateway.control.clearScripts()
  gateway.control.clearRecorded()
})
afterAll(() => gateway.stop())

const runWith = (script: OllamaClient["script"], ...operation: readonly string[]) =>
  runOllamaClient({ script, base: `http://127.0.0.1:${port}`, home: gateway.folder }, operation)

function turns(): readonly JsonObject[] {
  return gateway.control.recorded(TURNS).map(({ body }) => (isJsonObject(body) ? body : {}))
}

describe("the official ollama package", () => {
  const run = (...operation: readonly string[]) => runWith("ollama", ...operation)

  test("chat answers with the name that was asked for, with times and counts", async () => {
    expect(await run("chat")).toMatchObject({
      model: MODEL,
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      message: {
        role: "assistant",
        content: expect.stringContaining("Say hello"),
        thinking: expect.stringContaining("Simulated thought"),
      },
      done: true,
      done_reason: "stop",
      total_duration: expect.any(Number),
      prompt_eval_count: expect.any(Number),
      eval_count: expect.any(Number),
    })
    expect(turns()[0]).toMatchObject({ model: "gpt-5.5" })
  })

  test("O6: a streamed chat says the same, piece by piece, and its last part adds nothing", async () => {
    const whole = (await run("chat")) as { message: JsonObject }
    const streamed = (await run("chat.stream")) as JsonObject & { count: number }
    expect(streamed["error"]).toBeUndefined()
    expect(streamed.count).toBeGreaterThan(4)
    expect([streamed["content"], streamed["thinking"]]).toEqual([
      whole.message["content"] as string,
      whole.message["thinking"] as string,
    ])
    expect(streamed["first"]).toMatchObject({ model: MODEL, done: false })
    expect(streamed["last"]).toMatchObject({ message: { content: "" }, done: true, done_reason: "stop" })
  })

  test("a model that is not to think shows no thoughts", async () => {
    const { message } = (await run("chat.unthinking")) as { message: JsonObject }
    expect(message).not.toHaveProperty("thinking")
    expect(turns()[0]?.["reasoning"]).not.toHaveProperty("summary")
  })

  test("a tool is called, and its answer is linked to the call", async () => {
    expect(await run("chat.tools")).toMatchObject({
      tool_calls: [
        { id: expect.any(String), function: { index: 0, name: "weather", arguments: { city: expect.any(String) } } },
      ],
      text: expect.stringContaining("sunny in the test"),
    })
    const input = turns()[1]?.["input"] as readonly JsonObject[]
    expect(input.map(item => item["type"])).toEqual(["message", "function_call", "function_call_output"])
    expect(input[1]?.["call_id"]).toBe(input[2]?.["call_id"] as string)
  })

  test("an image goes upstream as what it is", async () => {
    expect(await run("chat.image", PNG)).toMatchObject({ done: true })
    expect(JSON.stringify(turns()[0]?.["input"])).toContain(`data:image/png;base64,${PNG}`)
  })

  test("a schema is answered with an object that fits it", async () => {
    expect(await run("chat.format")).toEqual({ city: expect.any(String), population: expect.any(Number) })
  })

  test("54: the answer ends before a stop sequence", async () => {
    const { message } = (await run("chat.stop")) as { message: JsonObject }
    expect(message["content"]).toBe("This answer comes from the Sluice ")
  })

  test("generate answers with a bare text, whole and streamed", async () => {
    const whole = (await run("generate")) as JsonObject
    expect(whole).toMatchObject({ model: MODEL, done: true, done_reason: "stop" })
    expect(turns()[0]).toMatchObject({ instructions: "Be brief." })
    const streamed = (await run("generate.stream")) as JsonObject
    expect(streamed["response"]).toContain("Say hello")
    expect(streamed["last"]).toMatchObject({ response: "", done: true })
    expect(whole["response"]).toContain("Say hello")
  })

  test("52: loading and unloading go nowhere", async () => {
    expect(await run("chat.load")).toMatchObject({ done: true, done_reason: "load" })
    expect(await run("generate.unload")).toMatchObject({ response: "", done: true, done_reason: "unload" })
    expect(turns()).toHaveLength(0)
  })

  test("models are listed and shown, and none is running", async () => {
    const { models } = (await run("list")) as { models: readonly JsonObject[] }
    expect(models.map(({ name }) => name)).toContain(MODEL)
    expect(await run("show")).toMatchObject({
      capabilities: expect.arrayContaining(["completion", "tools", "thinking", "vision"]),
      details: { family: "gpt" },
      model_info: { "general.architecture": "gpt", "gpt.context_length": expect.any(Number) },
    })
    expect(await run("ps")).toEqual({ models: [] })
    expect(await run("version")).toEqual({ version: "0.18.3" })
    expect(await run("pull")).toEqual({ steps: [{ status: "success" }], whole: { status: "success" } })
  })

  test("what is not served is refused in words", async () => {
    const refusals = (await run("refusals")) as Record<string, JsonObject>
    expect(refusals["pull"]).toMatchObject({ status: 404, message: "model 'nope:7b' not found" })
    for (const name of ["push", "create", "copy", "delete", "embed", "embeddings"]) {
      expect([name, refusals[name]?.["status"]]).toEqual([name, 501])
      expect(refusals[name]?.["message"]).toMatch(/not served|cannot be/)
    }
    expect(await run("chat.unknown")).toMatchObject({ name: "ResponseError", status: 404 })
  })

  test.each(["end", "reset"])("27, 53: a stream that broke off upstream raises (%s)", async cut => {
    gateway.control.script({ scenario: "text", settings: { cut, cutAfterEvents: 8 } })
    const { parts, error } = (await run("chat.broken")) as { parts: readonly JsonObject[]; error?: JsonObject }
    expect(parts.length).toBeGreaterThan(0)
    expect(JSON.stringify(parts)).not.toContain('"done":true')
    expect(error).toMatchObject({ name: "Error", message: expect.stringMatching(/upstream/i) })
  })

  test("40: an abort ends the upstream request", async () => {
    gateway.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 10 } })
    const { error } = (await run("chat.abort")) as { error?: JsonObject }
    expect(error).toMatchObject({ name: "AbortError" })
    while (gateway.control.waiting("middle") > 0) await Bun.sleep(5)
    expect(turns()).toHaveLength(1)
  })
})

describe("@langchain/ollama", () => {
  const run = (...operation: readonly string[]) => runWith("langchain-ollama", ...operation)

  test("invokes and streams", async () => {
    const whole = (await run("invoke")) as JsonObject
    expect(whole).toMatchObject({ reason: "stop", usage: { input_tokens: expect.any(Number) } })
    expect(whole["content"]).toContain("Say hello")
    const streamed = (await run("stream")) as JsonObject & { count: number }
    expect(streamed.count).toBeGreaterThan(4)
    expect(streamed["content"]).toContain("Say hello")
  })

  test("calls a tool and is answered", async () => {
    expect(await run("tools")).toMatchObject({
      call: { name: "weather", args: { city: expect.any(String) } },
      text: expect.stringContaining("sunny in the test"),
    })
    const input = turns()[1]?.["input"] as readonly JsonObject[]
    expect(input.map(item => item["type"])).toEqual(["message", "function_call", "function_call_output"])
  })

  test("gets an object by schema", async () => {
    expect(await run("structured")).toEqual({ city: expect.any(String) })
  })
})

describe("the AI SDK with ollama-ai-provider-v2", () => {
  const run = (...operation: readonly string[]) => runWith("ai-ollama", ...operation)

  test("generates and streams", async () => {
    const whole = (await run("generate")) as JsonObject
    expect(whole).toMatchObject({ finishReason: "stop", usage: { inputTokens: expect.any(Number) } })
    expect(whole["text"]).toContain("Say hello")
    const streamed = (await run("stream")) as JsonObject & { count: number }
    expect(streamed.count).toBeGreaterThan(4)
    expect([streamed["text"], streamed["finishReason"]]).toEqual([whole["text"] as string, "stop"])
  })

  test.each(["tools", "tools.stream"])("runs a tool between two steps (%s)", async operation => {
    expect(await run(operation)).toEqual({ steps: 2, text: expect.stringContaining("sunny in the test") })
    const input = turns()[1]?.["input"] as readonly JsonObject[]
    expect(input.map(item => item["type"])).toEqual(["message", "function_call", "function_call_output"])
    expect(input[1]?.["call_id"]).toBe(input[2]?.["call_id"] as string)
  })

  test("shows an image", async () => {
    await run("image", PNG)
    expect(JSON.stringify(turns()[0]?.["input"])).toContain(`data:image/png;base64,${PNG}`)
  })

  test("gets an object by schema", async () => {
    expect(await run("object")).toEqual({ city: expect.any(String) })
  })
})
