import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"

import { isJsonObject, type JsonObject } from "#core/json.ts"

import { runGenaiSdk } from "../support/genai-sdk.ts"
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

const run = (...operation: readonly string[]) => runGenaiSdk(gateway, operation)

function turns(): readonly JsonObject[] {
  return gateway.control.recorded(TURNS).map(({ body }) => (isJsonObject(body) ? body : {}))
}

describe("the official @google/genai package", () => {
  test("generateContent answers with the name that was asked for", async () => {
    expect(await run("generate")).toMatchObject({
      modelVersion: "gemini-2.5-flash",
      responseId: expect.stringMatching(/^resp_/),
      candidates: [
        { finishReason: "STOP", content: { role: "model", parts: [{ text: expect.stringContaining("Say hello") }] } },
      ],
      usageMetadata: { promptTokenCount: expect.any(Number), totalTokenCount: expect.any(Number) },
    })
    expect(turns()[0]).toMatchObject({ model: "gpt-5.6-terra" })
  })

  test("G12: generateContentStream brings text in every chunk and one finish reason at the end", async () => {
    const { chunks, error } = (await run("stream")) as { chunks: readonly JsonObject[]; error?: unknown }
    expect(error).toBeUndefined()
    expect(chunks.length).toBeGreaterThan(2)
    expect(chunks.filter(chunk => JSON.stringify(chunk).includes("finishReason"))).toHaveLength(1)
    expect(chunks.at(-1)).toMatchObject({ candidates: [{ finishReason: "STOP" }], usageMetadata: {} })
    expect(JSON.stringify(chunks)).toContain("thoughtSignature")
  })

  test("a chat calls a tool, answers it, and replays the sealed reasoning", async () => {
    expect(await run("chat")).toMatchObject({
      call: { name: "weather", id: expect.any(String), args: { city: expect.any(String) } },
      text: expect.stringContaining("sunny in the test"),
      history: 4,
    })
    const input = turns()[1]?.["input"] as readonly JsonObject[]
    expect(input.map(item => item["type"])).toEqual(["message", "reasoning", "function_call", "function_call_output"])
  })

  test("a streamed turn stays in the chat's history", async () => {
    const { history } = (await run("chat.stream")) as { history: readonly string[] }
    expect(history.filter((role, index) => role !== history[index - 1])).toEqual(["user", "model", "user", "model"])
    // The chat keeps every chunk as a content; the upstream gets one message.
    expect(turns()[1]).toMatchObject({ input: [{ role: "user" }, { role: "assistant" }, { role: "user" }] })
  })

  test("an image whose type is stated wrongly goes upstream as what it is", async () => {
    expect(await run("image", PNG)).toMatchObject({ candidates: [{ finishReason: "STOP" }] })
    expect(JSON.stringify(turns()[0]?.["input"])).toContain(`data:image/png;base64,${PNG}`)
  })

  test("a schema in capitals is answered with an object that fits it", async () => {
    expect(await run("schema")).toEqual({
      parsed: { city: expect.any(String), population: expect.any(Number) },
      reason: "STOP",
    })
  })

  test("countTokens counts without an upstream turn", async () => {
    const { totalTokens } = (await run("countTokens")) as { totalTokens: number }
    expect(totalTokens).toBeGreaterThan(1)
    expect(totalTokens).toBeLessThan(20)
    expect(turns()).toHaveLength(0)
  })

  test("models are listed page by page without a repetition, and retrieved", async () => {
    const { names } = (await run("models.list")) as { names: readonly string[] }
    expect(names).toContain("models/gpt-5.5")
    expect(new Set(names).size).toBe(names.length)
    expect(await run("models.get")).toMatchObject({ name: "models/gemini-2.5-flash" })
  })

  test.each(["end", "reset"])("27, 35: a stream that broke off upstream raises (%s)", async cut => {
    gateway.control.script({ scenario: "text", settings: { cut, cutAfterEvents: 8 } })
    const { chunks, error } = (await run("stream")) as { chunks: readonly JsonObject[]; error?: JsonObject }
    expect(chunks.length).toBeGreaterThan(0)
    expect(JSON.stringify(chunks)).not.toContain("finishReason")
    expect(error).toMatchObject({ message: expect.stringContaining("UNAVAILABLE") })
  })

  test("embeddings are refused as not implemented", async () => {
    expect(await run("embed")).toMatchObject({ status: 501, message: expect.stringContaining("UNIMPLEMENTED") })
  })
})
