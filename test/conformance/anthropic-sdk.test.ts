import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"

import { arrayAt, isJsonObject, type JsonObject } from "#core/json.ts"

import { runAnthropicSdk } from "../support/anthropic-sdk.ts"
import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated-gateway.ts"

setDefaultTimeout(120_000)

const TURNS = { path: "/backend-api/codex/responses" }
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="

let gateway: SimulatedGateway

beforeAll(async () => {
  gateway = await startSimulatedGateway()
})
afterEach(() => {
  gateway.control.clearScripts()
  gateway.control.clearRecorded()
})
afterAll(() => gateway.stop())

const run = (...operation: readonly string[]) => runAnthropicSdk(gateway, operation)

function turns(): readonly JsonObject[] {
  return gateway.control.recorded(TURNS).map(({ body }) => (isJsonObject(body) ? body : {}))
}

describe("the official @anthropic-ai/sdk package", () => {
  test("messages.create answers with the name that was asked for, and a request id", async () => {
    expect(await run("create")).toMatchObject({
      requestId: expect.stringMatching(/^req_/),
      message: {
        type: "message",
        role: "assistant",
        model: "claude-sonnet-4-5",
        stop_reason: "end_turn",
        content: [{ type: "text", text: expect.stringContaining("Say hello") }],
        usage: { input_tokens: expect.any(Number), output_tokens: expect.any(Number) },
      },
    })
    expect(turns()[0]).toMatchObject({ model: "gpt-5.6-terra" })
  })

  test("messages.stream accumulates to the same message, thinking included", async () => {
    const result = await run("stream")
    expect(result).toMatchObject({
      requestId: expect.stringMatching(/^req_/),
      text: expect.stringContaining("Say hello"),
      final: { stop_reason: "end_turn" },
    })
    expect(result).toMatchObject({
      final: { content: [{ type: "thinking", signature: expect.stringMatching(/^sluice1\./) }, { type: "text" }] },
    })
  })

  test.each(["toolRunner", "toolRunner.stream"])("%s is declined threads and then makes one tool round", async name => {
    const result = await run(name)
    expect(result).toMatchObject({ calls: [{ city: expect.any(String) }] })
    if (name === "toolRunner") {
      expect(result).toMatchObject({ final: { content: [{ text: expect.stringContaining("sunny in the test") }] } })
    } else expect(result).toMatchObject({ texts: ["tool_use", "end_turn"] })
    expect(turns()).toHaveLength(2)
    expect(gateway.process.output()).toContain("thread_unsupported_request")
  })

  test("messages.countTokens counts without an upstream turn", async () => {
    const { input_tokens: count } = (await run("countTokens")) as { input_tokens: number }
    expect(count).toBeGreaterThan(4)
    expect(count).toBeLessThan(20)
    expect(turns()).toHaveLength(0)
  })

  test("models are listed page by page and retrieved", async () => {
    const { ids } = (await run("models.list")) as { ids: readonly string[] }
    expect(ids).toContain("claude-opus")
    expect(ids).toContain("gpt-5.5")
    expect(new Set(ids).size).toBe(ids.length)
    expect(await run("models.retrieve")).toMatchObject({ type: "model", id: "claude-opus-4-5" })
  })

  test("messages.parse returns an object of the schema", async () => {
    expect(await run("parse")).toMatchObject({
      parsed: { city: expect.any(String), population: expect.any(Number) },
      stop: "end_turn",
    })
    expect(turns()[0]).toMatchObject({ text: { format: { type: "json_schema", strict: true } } })
  })

  test("R11: a tool round with thinking brings the upstream's own items back to it", async () => {
    const result = await run("thinking")
    expect(result).toMatchObject({ second: { content: [{}, { text: expect.stringContaining("sunny in the test") }] } })
    const types = (arrayAt(turns()[1] ?? {}, "input") ?? []).map(item => (isJsonObject(item) ? item["type"] : ""))
    expect(types).toEqual(["message", "reasoning", "function_call", "function_call_output"])
    expect(turns()[0]).toMatchObject({ reasoning: { effort: "high", summary: "auto" } })
  })

  test("an image whose type is stated wrongly goes upstream as what it is", async () => {
    expect(await run("image", PNG)).toMatchObject({ stop_reason: "end_turn" })
    const urls = JSON.stringify(turns()[0]?.["input"])
    expect(urls).toContain(`data:image/png;base64,${PNG}`)
  })
})
