/** LangChain's OpenAI package over both of its APIs. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"

import { runOperation } from "../support/run-operation.ts"
import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated-gateway.ts"

setDefaultTimeout(120_000)

let gateway: SimulatedGateway

beforeAll(async () => {
  gateway = await startSimulatedGateway()
})

afterAll(() => gateway.stop())

describe.each(["chat", "responses"])("LangChain over %s", api => {
  const run = (operation: string) => {
    gateway.control.clearRecorded()
    return runOperation(gateway, "langchain.mjs", api, operation)
  }
  const turns = () => gateway.control.recorded({ path: "/codex/responses" })

  test("invokes and streams, with usage", async () => {
    const answer = {
      text: expect.stringContaining("Say hello"),
      usage: expect.objectContaining({ input_tokens: expect.any(Number), total_tokens: expect.any(Number) }),
    }
    expect(await run("invoke")).toEqual(answer)
    expect(await run("stream")).toEqual(answer)
  })

  test("makes one tool round", async () => {
    expect(await run("tools")).toEqual({
      calls: [{ name: "weather", args: { city: "simulated" } }],
      text: expect.stringContaining("21 degrees in simulated"),
    })
    expect(turns()).toHaveLength(2)
  })

  test("brings the answer before back in the next turn", async () => {
    expect(await run("turns")).toEqual({ text: expect.stringContaining("Say the word"), wasAnswer: true })
    expect(JSON.stringify(turns()[1]?.body)).toContain("You asked: The word is marmalade.")
  })

  test("gets an object of its schema", async () => {
    expect(await run("object")).toEqual({ city: expect.any(String), population: expect.any(Number) })
  })

  test("throws for an input that is too long, after one turn", async () => {
    expect(await run("failure")).toMatchObject({ message: expect.stringContaining("exceeds the context window") })
    expect(turns()).toHaveLength(1)
  })
})
