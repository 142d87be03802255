import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"

import { isJsonObject, type JsonObject } from "#core/json.ts"

import { runAnthropicSdk } from "../support/anthropic-sdk.ts"
import { runClaude } from "../support/claude-code.ts"
import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated-gateway.ts"

setDefaultTimeout(120_000)

const TURNS = { path: "/backend-api/codex/responses" }

type Fault = readonly [scenario: string, settings?: JsonObject]

/** Faults before anything has been said: the same question is asked once more, and answered. */
const BEFORE_OUTPUT: readonly Fault[] = [
  ["burst", { retryAfterSec: 1 }],
  ["burst"],
  ["rate-limit"],
  ["usage-limit"],
  ["server-error"],
  ["server-error", { status: 529 }],
  ["bad-gateway"],
  ["overloaded"],
  ["html-200"],
  ["json-200"],
  ["dead"],
  ["overload-in-stream"],
  ["failure"],
  ["failure", { errorForm: "flat" }],
  ["unauthorized"],
  ["payment-required"],
  ["access-restricted"],
  ["model-not-supported"],
  ["encrypted-content"],
]

/** Faults in the middle of a sentence. */
const MID_SENTENCE: readonly Fault[] = [
  ["reset", { cutAfterEvents: 9 }],
  ["truncated", { cutAfterEvents: 9 }],
]

/** Faults that stay: nobody may ask for ever. */
const FOR_EVER: readonly Fault[] = [
  ["server-error"],
  ["overload-in-stream"],
  ["truncated", { cutAfterEvents: 9 }],
  ["late-failure"],
  ["context-overflow"],
]

/** Claude Code's retries (2), each of which the gateway may double, and its last try without a stream. */
const MOST_TURNS = 12

let gateway: SimulatedGateway

beforeAll(async () => {
  // No account is tried after another, so that faults reach the client; there are enough that none has to rest.
  gateway = await startSimulatedGateway({ accounts: 120, settings: { "max-retry": 0, "keepalive-interval": 0 } })
})
afterEach(() => {
  gateway.control.clearScripts()
  gateway.control.clearRecorded()
})
afterAll(() => gateway.stop())

function turns(): readonly JsonObject[] {
  return gateway.control.recorded(TURNS).map(({ body }) => (isJsonObject(body) ? body : {}))
}

function nameOf([scenario, settings = {}]: Fault): readonly [string, Fault] {
  return [`${scenario} ${JSON.stringify(settings)}`, [scenario, settings]]
}

describe("Claude Code", () => {
  test.each([...BEFORE_OUTPUT, ...MID_SENTENCE].map(nameOf))(
    "%s, once: one more turn and the answer",
    async (_, fault) => {
      const [scenario, settings = {}] = fault
      gateway.control.script({ scenario, settings, times: 1 })
      const run = await runClaude(gateway, { prompt: "Say marmalade" })
      expect(run).toMatchObject({ exitCode: 0, result: { is_error: false } })
      expect(run.text).toEndWith("You asked: Say marmalade")
      expect(turns()).toHaveLength(2)
    },
  )

  test("a failure after a whole sentence keeps the sentence and goes on from there", async () => {
    gateway.control.script({ scenario: "late-failure", times: 1 })
    const run = await runClaude(gateway, { prompt: "Say marmalade" })
    expect(run).toMatchObject({ exitCode: 0, result: { is_error: false } })
    expect(turns()).toHaveLength(2)
  })

  test("a call that is cut is not run: the question is asked again", async () => {
    const settings = { cutAfterEvents: 6, tool: "Bash", arguments: '{"command":"touch marmalade"}', sequence: "call" }
    gateway.control.script({ scenario: "truncated", settings, times: 1 })
    const run = await runClaude(gateway, { prompt: "Say plums" })
    expect(run).toMatchObject({ exitCode: 0, result: { is_error: false, num_turns: 1 } })
    expect(turns()).toHaveLength(2)
  })

  test("an input that is too long is told with numbers and asked no second time", async () => {
    gateway.control.script({ scenario: "context-length" })
    const run = await runClaude(gateway, { prompt: "Say marmalade" })
    expect(run.exitCode).toBe(1)
    expect(run.text).toMatch(/^Prompt is too long .*limit 272000/)
    expect(turns()).toHaveLength(1)
  })

  test("an answer that waits for its first word is waited for", async () => {
    gateway.control.script({ scenario: "slow-first-token", settings: { firstTokenDelayMs: 2000 }, times: 1 })
    const run = await runClaude(gateway, { prompt: "Say marmalade" })
    expect(run.text).toEndWith("You asked: Say marmalade")
    expect(turns()).toHaveLength(1)
  })

  test("headers that take longer than clients wait come first, with a ping, for it and for the SDK", async () => {
    const prompt = "[[simulate: slow-headers headers-delay-ms=16000]] Say marmalade"
    const [run, sdk] = await Promise.all([runClaude(gateway, { prompt }), runAnthropicSdk(gateway, ["once", prompt])])
    expect(run.text).toEndWith("Say marmalade")
    expect(sdk).toMatchObject({ final: { content: [{ text: expect.stringContaining("Say marmalade") }] } })
    expect(turns()).toHaveLength(2)
  })

  test.each(FOR_EVER.map(nameOf))("%s, for ever: it gives up", async (_, fault) => {
    const [scenario, settings = {}] = fault
    gateway.control.script({ scenario, settings })
    const run = await runClaude(gateway, { prompt: "Say marmalade", env: { CLAUDE_CODE_MAX_RETRIES: "1" } })
    expect(run).toMatchObject({ exitCode: 1, result: { is_error: true } })
    expect(turns().length).toBeLessThanOrEqual(MOST_TURNS)
  })
})

describe("the SDK", () => {
  const once = (retries: number) => runAnthropicSdk(gateway, ["once", "Say marmalade"], { RETRIES: String(retries) })

  // It takes a 404 for final.
  const retried = BEFORE_OUTPUT.filter(([scenario]) => scenario !== "model-not-supported")

  test.each(retried.map(nameOf))("%s, once: one more turn and the answer", async (_, fault) => {
    const [scenario, settings = {}] = fault
    gateway.control.script({ scenario, settings, times: 1 })
    expect(await once(2)).toMatchObject({
      final: { stop_reason: "end_turn", content: [{ text: expect.stringContaining("Say marmalade") }] },
    })
    expect(turns()).toHaveLength(2)
  })

  test.each([...MID_SENTENCE, ["late-failure"] as Fault].map(nameOf))(
    "%s: thrown, never taken for whole",
    async (_, fault) => {
      const [scenario, settings = {}] = fault
      gateway.control.script({ scenario, settings, times: 1 })
      expect(await once(2)).toMatchObject({ error: { type: expect.stringMatching(/_error$/) } })
      expect(turns()).toHaveLength(1)
    },
  )

  test("a quota that opens in hours is told at once, with the time, and not sat out", async () => {
    const spent = await startSimulatedGateway({ accounts: 1, settings: { "keepalive-interval": 0 } })
    try {
      spent.control.script({ scenario: "usage-limit", settings: { resetsInSec: 18_000 } })
      const result = await runAnthropicSdk(spent, ["once", "Say marmalade"], { RETRIES: "2" })
      expect(result).toMatchObject({ error: { status: 429, type: "rate_limit_error" } })
      expect(spent.control.recorded(TURNS)).toHaveLength(1)
      const reply = await fetch(`${spent.url}/v1/messages`, {
        method: "POST",
        headers: { "x-api-key": spent.key },
        body: JSON.stringify({ model: "gpt-5.5", max_tokens: 1, messages: [{ role: "user", content: "again" }] }),
      })
      expect(Number(reply.headers.get("retry-after"))).toBeGreaterThan(17_000)
      expect(reply.headers.get("x-should-retry")).toBe("false")
    } finally {
      await spent.stop()
    }
  })
})
