import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test"
import { join } from "node:path"

import { SCENARIOS } from "#simulator/scripts/scenarios.ts"

import { conformanceClients } from "../support/conformance-clients.ts"
import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated-gateway.ts"

setDefaultTimeout(120_000)

/** What one way of asking came to: a final answer, or the error that the SDK threw. */
type Result = {
  readonly prompt: string
  readonly way: string
  readonly error?: { readonly name: string; readonly message: string; readonly status?: number; readonly code?: string }
  readonly finish?: string
  readonly message?: { readonly content: string | null; readonly tool_calls?: readonly unknown[] }
  readonly status?: string
  readonly output?: readonly { readonly type: string }[]
  readonly text?: string
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
let clients: string

beforeAll(async () => {
  clients = await conformanceClients()
  // Refused accounts rest, so there has to be a fresh one for every request.
  gateway = await startSimulatedGateway({
    accounts: 4 * names.length,
    settings: { "max-retry": 0, "keepalive-interval": 0 },
  })
})

afterAll(() => gateway.stop())

function promptOf(name: string): string {
  return `[[simulate: ${SHORTENED.get(name) ?? name}]] Say hello`
}

/** Asks each prompt in all four ways, in one process of the SDK. */
async function ask(scenarios: readonly string[]): Promise<readonly Result[]> {
  const prompts = JSON.stringify(scenarios.map(promptOf))
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "operations/openai-sdk.mjs"), "ways", prompts], {
    env: { PATH: "/usr/bin:/bin", HOME: gateway.folder, CLIENTS: clients, BASE: `${gateway.url}/v1`, KEY: gateway.key },
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  if ((await child.exited) !== 0) throw new Error(`the SDK crashed: ${err}`)
  return JSON.parse(out)
}

/** The parts of an answer that streamed and whole must share; reasoning the SDK's chat helper does not add up. */
function essence({ finish, message, status, output, text }: Result): unknown {
  const calls = message?.tool_calls?.length ?? 0
  const types = output?.map(item => item.type)
  // The SDK keeps the opening empty text where the other answer has null.
  return { finish, content: message === undefined ? undefined : (message.content ?? ""), calls, status, types, text }
}

test("invariant 20: no helper throws over any answer or delivery, and streamed and whole answers agree", async () => {
  const results = await ask(good)
  expect(results.filter(result => result.error !== undefined)).toEqual([])
  for (let at = 0; at < results.length; at += 2) {
    const [streamed, whole] = results.slice(at, at + 2)
    if (streamed === undefined || whole === undefined) throw new Error("results come in pairs")
    expect({ prompt: streamed.prompt, ...(essence(streamed) as object) }).toEqual({
      prompt: whole.prompt,
      ...(essence(whole) as object),
    })
  }
})

test("every failure and refusal is thrown as the SDK's own error with a message and a code", async () => {
  const results = await ask(names.filter(name => !good.includes(name)))
  for (const { prompt, way, error } of results) {
    expect({ prompt, way, name: error?.name, code: error?.code }).toEqual({
      prompt,
      way,
      name: expect.stringMatching(/^(APIError|[A-Z][A-Za-z]+Error)$/),
      code: expect.stringMatching(/^[a-z_]+$/),
    })
    // Errors of the helper itself, like "Unhandled response stream event", have this name.
    expect(error?.name).not.toBe("OpenAIError")
  }
})
