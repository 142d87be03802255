import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"

import { arrayAt, isJsonObject, type JsonObject } from "#core/json.ts"

import { runGemini } from "../support/gemini-cli.ts"
import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated-gateway.ts"

setDefaultTimeout(120_000)

const TURNS = { path: "/backend-api/codex/responses" }

let gateway: SimulatedGateway

beforeAll(async () => {
  gateway = await startSimulatedGateway()
})
afterEach(() => {
  gateway.control.clearScripts()
  gateway.control.clearRecorded()
})
afterAll(() => gateway.stop())

function turns(): readonly JsonObject[] {
  return gateway.control.recorded(TURNS).map(({ body }) => (isJsonObject(body) ? body : {}))
}

describe("the real Gemini CLI", () => {
  test("gets a text answer in one upstream turn", async () => {
    const run = await runGemini(gateway, "Say hello", "gemini-2.5-pro")
    expect(run.text).toContain("Sluice simulator")
    expect(run.exitCode).toBe(0)
    expect(turns()).toHaveLength(1)
    expect(turns()[0]).toMatchObject({ model: "gpt-6-sol", instructions: expect.stringContaining("Gemini CLI") })
  })

  test("runs a shell command and brings its output and the sealed reasoning back", async () => {
    // The simulator shows reasoning at high effort only.
    const run = await runGemini(gateway, "Please run: echo hello-tool", "gemini-2.5-pro-high")
    expect(run.exitCode).toBe(0)
    expect(turns()).toHaveLength(2)
    const input = (arrayAt(turns()[1] ?? {}, "input") ?? []).filter(isJsonObject)
    const output = input.find(item => item["type"] === "function_call_output")
    expect(JSON.stringify(output)).toContain("hello-tool")
    expect(input.map(item => item["type"])).toContain("reasoning")
    expect(input.slice(0, arrayAt(turns()[0] ?? {}, "input")?.length)).toEqual(
      (arrayAt(turns()[0] ?? {}, "input") ?? []) as JsonObject[],
    )
  })
})
