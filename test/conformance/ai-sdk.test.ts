/** The Vercel AI SDK through five providers: three of OpenAI's dialects, Anthropic's and Google's. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"

import { isJsonObject, type JsonObject } from "#core/json.ts"

import { runOperation } from "../support/run-operation.ts"
import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated-gateway.ts"

setDefaultTimeout(120_000)

let gateway: SimulatedGateway

beforeAll(async () => {
  gateway = await startSimulatedGateway()
})

afterAll(() => gateway.stop())

const hello = expect.stringContaining("Say hello")
const usage = { inputTokens: expect.any(Number), outputTokens: expect.any(Number) }

/** What the turns since the last clearing have sent upstream. */
function bodies(): readonly JsonObject[] {
  const turns = gateway.control.recorded({ path: "/codex/responses" })
  return turns.flatMap(({ body }) => (isJsonObject(body) ? [body] : []))
}

describe.each(["responses", "chat", "compatible", "anthropic", "google"])("the AI SDK over %s", provider => {
  const run = (operation: string) => {
    gateway.control.clearRecorded()
    return runOperation(gateway, "ai-sdk.mjs", provider, operation)
  }

  test("generates and streams text, with its usage", async () => {
    expect(await run("text")).toEqual({ text: hello, finishReason: "stop", usage })
    expect(await run("stream")).toEqual({ text: hello, finishReason: "stop", usage })
  })

  test.each(["tools", "tools streamed"])("makes one tool round: %s", async operation => {
    expect(await run(operation)).toMatchObject({
      text: expect.stringContaining("21 degrees in simulated"),
      calls: ["weather"],
      results: ["21 degrees in simulated"],
      steps: 2,
    })
    expect(bodies()).toHaveLength(2)
  })

  test("brings the answer before back in the next turn", async () => {
    expect(await run("turns")).toEqual({ text: expect.stringContaining("Say the word"), finishReason: "stop" })
    expect(bodies()).toHaveLength(2)
    expect(JSON.stringify(bodies()[1]?.["input"])).toContain("You asked: The word is marmalade.")
  })

  test("gets an object of its schema", async () => {
    expect(await run("object")).toEqual({ city: expect.any(String), population: expect.any(Number) })
  })

  test("sends a picture", async () => {
    expect(await run("picture")).toEqual({ text: expect.stringContaining("What is this?") })
    expect(JSON.stringify(bodies()[0]?.["input"])).toContain("data:image/png;base64,")
  })

  test("throws the SDK's own error for an input that is too long", async () => {
    expect(await run("failure")).toMatchObject({ name: "AI_APICallError", status: 400 })
    expect(bodies()).toHaveLength(1)
  })
})

test("the AI SDK draws", async () => {
  const image = { mediaType: "image/png", head: "iVBORw0KGgoA" }
  expect(await runOperation(gateway, "ai-sdk.mjs", "responses", "draw")).toEqual([image, image])
})
