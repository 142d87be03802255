/** Real command line clients through a gateway whose turns go over WebSocket: they notice nothing, and upload only what is new. */

import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test"

import { arrayAt, isJsonObject, type JsonObject } from "#core/json.ts"

import { runClaude } from "../support/claude-code.ts"
import { runCodex } from "../support/codex-cli.ts"
import { runGemini } from "../support/gemini-cli.ts"
import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated-gateway.ts"

setDefaultTimeout(120_000)

const PROMPT = "Please run: echo hello-tool"

let gateway: SimulatedGateway

beforeAll(async () => {
  gateway = await startSimulatedGateway({ settings: { "upstream-transport": "ws" } })
})
afterEach(() => gateway.control.clearRecorded())
afterAll(() => gateway.stop())

function turns() {
  return gateway.control.recorded({ path: "/backend-api/codex/responses" }).filter(({ method }) => method !== "GET")
}

/** The frame that brought the tool's output, and the types of its items. */
function outputFrame(): { readonly body: JsonObject; readonly types: readonly unknown[] } {
  for (const { method, body } of turns()) {
    if (method !== "WS" || !isJsonObject(body)) continue
    const types = (arrayAt(body, "input") ?? []).map(item => isJsonObject(item) && String(item["type"]))
    if (types.some(type => type !== false && type.endsWith("_call_output"))) return { body, types }
  }
  throw new Error("no frame brought a tool's output")
}

test.each(["gpt-5.5", "gpt-5.6-sol"])("the Codex CLI runs a tool with %s and sends its output alone", async model => {
  const run = await runCodex(gateway, { model, prompt: PROMPT })
  expect(run.exitCode).toBe(0)
  expect(JSON.stringify(run.events)).toContain("hello-tool")
  const { body, types } = outputFrame()
  expect(body).toHaveProperty("previous_response_id")
  expect(types).toHaveLength(1)
  expect(turns().map(({ method }) => method)).toEqual(["WS", "WS"])
})

test("the Gemini CLI does, reasoning included that it brings back sealed", async () => {
  const run = await runGemini(gateway, PROMPT, "gemini-2.5-pro-high")
  expect(run.exitCode).toBe(0)
  const { body, types } = outputFrame()
  expect(body).toHaveProperty("previous_response_id")
  expect(types).toEqual(["function_call_output"])
})

test("Claude Code does, whatever it adds to the tool's output", async () => {
  const run = await runClaude(gateway, { prompt: PROMPT })
  expect(run).toMatchObject({ exitCode: 0, result: { num_turns: 2 } })
  expect(run.text).toContain("hello-tool")
  const { body, types } = outputFrame()
  expect(body).toHaveProperty("previous_response_id")
  expect(types).toContain("function_call_output")
  expect(types).not.toContain("reasoning")
})
