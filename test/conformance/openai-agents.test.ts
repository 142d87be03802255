/** OpenAI's agents package over both of its APIs. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"

import { runOperation } from "../support/run-operation.ts"
import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated-gateway.ts"

setDefaultTimeout(120_000)

let gateway: SimulatedGateway

beforeAll(async () => {
  gateway = await startSimulatedGateway()
})

afterAll(() => gateway.stop())

const run = (api: string, operation: string) => {
  gateway.control.clearRecorded()
  return runOperation(gateway, "openai-agents.mjs", api, operation)
}
const turns = () => gateway.control.recorded({ path: "/codex/responses" })

describe.each(["chat", "responses"])("the agents package over %s", api => {
  test("runs and streams", async () => {
    expect(await run(api, "run")).toEqual({ text: expect.stringContaining("Say hello") })
    expect(await run(api, "stream")).toEqual({ text: expect.stringContaining("Say hello"), same: true })
  })

  test.each(["tools", "tools streamed"])("makes one tool round: %s", async operation => {
    expect(await run(api, operation)).toEqual({
      text: expect.stringContaining("21 degrees in simulated"),
      items: ["tool_call_item", "tool_call_output_item", "message_output_item"],
    })
    expect(turns()).toHaveLength(2)
  })

  test("hands off to another agent", async () => {
    expect(await run(api, "handoff")).toEqual({ text: expect.stringContaining("Second"), last: "Second" })
  })

  test("gets an object of its type", async () => {
    expect(await run(api, "object")).toEqual({ city: expect.any(String), population: expect.any(Number) })
  })
})

test("the agents package makes its tool round over WebSocket", async () => {
  expect(await run("responses", "over WebSocket")).toEqual({
    text: expect.stringContaining("21 degrees in simulated"),
    items: ["tool_call_item", "tool_call_output_item", "message_output_item"],
  })
  expect(turns()).toHaveLength(2)
})

test("the agents package continues a response by its id", async () => {
  expect(await run("responses", "continued by id")).toEqual({
    text: expect.stringContaining("Say the word"),
    isContinued: true,
  })
  expect(JSON.stringify(turns()[1]?.body)).toContain("You asked: The word is marmalade.")
})
