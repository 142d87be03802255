import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test"

import { isJsonObject, type JsonObject } from "#core/json.ts"
import { SCENARIOS } from "#simulator/scripts/scenarios.ts"

import { runAnthropicSdk } from "../support/anthropic-sdk.ts"
import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated-gateway.ts"

setDefaultTimeout(120_000)

/** What one way of asking came to: a message, or the error that the SDK threw. */
type Result = {
  readonly prompt: string
  readonly way: "stream" | "json"
  readonly message?: JsonObject
  readonly error?: { readonly name: string; readonly type?: string; readonly message: string }
}

/** Answers and deliveries that are meant to fail; refusals all are. */
const FAILURES = new Set([
  "failure",
  "late-failure",
  "context-overflow",
  "reset",
  "truncated",
  "dead",
  "overload-in-stream",
])

/** Faster than as it stands: only the pauses are shortened. A gate would stay closed, so it is left out. */
const SHORTENED = new Map([
  ["slow", "slow first-event-delay-ms=20 event-delay-ms=1"],
  ["slow-headers", "slow-headers headers-delay-ms=20"],
  ["slow-first-token", "slow-first-token first-token-delay-ms=20"],
])

const names = SCENARIOS.map(scenario => scenario.name).filter(name => name !== "hold")
const refusals = new Set(SCENARIOS.filter(scenario => scenario.group === "refusal").map(scenario => scenario.name))
const good = names.filter(name => !FAILURES.has(name) && !refusals.has(name))

let gateway: SimulatedGateway

beforeAll(async () => {
  // Refused accounts rest, so there has to be a fresh one for every request.
  gateway = await startSimulatedGateway({
    accounts: 4 * names.length,
    settings: { "max-retry": 0, "keepalive-interval": 0 },
  })
})

afterAll(() => gateway.stop())

async function ask(scenarios: readonly string[]): Promise<readonly Result[]> {
  const prompts = scenarios.map(name => `[[simulate: ${SHORTENED.get(name) ?? name}]] Say hello`)
  // The operation prints exactly this.
  return (await runAnthropicSdk(gateway, ["ways", JSON.stringify(prompts)])) as readonly Result[]
}

/** What differs between two answers of one upstream transcript: ids, and encrypted content that is made anew. */
function essence({ message }: Result): unknown {
  return JSON.parse(
    JSON.stringify(message, (key, value) =>
      key === "id" || key === "signature" || key === "tool_use_id" ? "…" : value,
    ),
  )
}

test("I17: the SDK's helper accumulates every answer and delivery to the answer that is not streamed", async () => {
  const results = await ask(good)
  expect(results.filter(result => result.error !== undefined)).toEqual([])
  for (let at = 0; at < results.length; at += 2) {
    const [streamed, whole] = results.slice(at, at + 2)
    if (streamed === undefined || whole === undefined) throw new Error("results come in pairs")
    // The helper adds the member for structured output.
    const message: JsonObject = { ...streamed.message }
    const { parsed_output: _, ...plain } = message
    expect({ prompt: streamed.prompt, message: essence({ ...streamed, message: plain }) }).toEqual({
      prompt: whole.prompt,
      message: essence(whole),
    })
  }
})

test("every failure and refusal is thrown as the SDK's own error with a type it knows", async () => {
  const results = await ask(names.filter(name => !good.includes(name)))
  for (const { prompt, way, error, message } of results) {
    expect({ prompt, way, isWhole: isJsonObject(message) }).toEqual({ prompt, way, isWhole: false })
    expect({ prompt, way, type: error?.type }).toEqual({ prompt, way, type: expect.stringMatching(/^[a-z_]+_error$/) })
    // Trouble with an account is never the client's.
    expect(error?.type).not.toMatch(/authentication|permission|billing/)
  }
})
