import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { join } from "node:path"

import { arrayAt, isJsonObject } from "#core/json.ts"

import { type CodexRun, runCodex } from "../support/codex-cli.ts"
import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated-gateway.ts"

setDefaultTimeout(120_000)

const TURNS = { path: "/backend-api/codex/responses" }
const PATCH = "*** Begin Patch\n*** Add File: made-by-patch.txt\n+marmalade\n*** End Patch\n"

let gateway: SimulatedGateway

beforeAll(async () => {
  gateway = await startSimulatedGateway()
})
afterEach(() => {
  gateway.control.clearScripts()
  gateway.control.clearRecorded()
})
afterAll(() => gateway.stop())

/** The last thing the model said. */
function lastMessage(run: CodexRun): unknown {
  return run.events.findLast(event => event.item?.["type"] === "agent_message")?.item?.["text"]
}

describe("the real Codex CLI over WebSocket", () => {
  const webSockets = true

  test("gets a text answer in one upstream request, its warm-up included", async () => {
    const run = await runCodex(gateway, { model: "gpt-5.5", prompt: "Say hello", webSockets })
    expect(run).toMatchObject({ exitCode: 0 })
    expect(lastMessage(run)).toContain("Say hello")
    const turns = gateway.control.recorded(TURNS)
    expect(turns).toHaveLength(1)
    // The warm-up's input, which the turn does not repeat, is there: the base prompt and the user's words.
    const input = arrayAt(isJsonObject(turns[0]?.body) ? turns[0].body : {}, "input") ?? []
    expect(input.filter(isJsonObject).map(item => item["role"])).toContain("developer")
    expect(JSON.stringify(input)).toContain("Say hello")
    expect(run.stderr).not.toContain("Reconnecting")
  })

  test.each(["gpt-5.5", "gpt-5.6-sol"])("runs a shell command with %s, one upstream request a turn", async model => {
    if (model === "gpt-5.6-sol") {
      const source = 'const answer = await tools.exec_command({ cmd: "echo hello-tool" }); text(answer.output)'
      gateway.control.script({ scenario: "custom-call", settings: { tool: "exec", arguments: source }, times: 1 })
    }
    const run = await runCodex(gateway, { model, prompt: "Please run: echo hello-tool", webSockets })
    expect(run).toMatchObject({ exitCode: 0 })
    expect(lastMessage(run)).toContain("hello-tool")
    expect(gateway.control.recorded(TURNS)).toHaveLength(2)
    expect(run.stderr).not.toContain("Reconnecting")
  })

  test("an account that refuses is replaced unseen", async () => {
    gateway.control.script({ scenario: "overload-in-stream", times: 2 })
    const run = await runCodex(gateway, { model: "gpt-5.5", prompt: "Say hello", webSockets })
    expect(run).toMatchObject({ exitCode: 0 })
    expect(lastMessage(run)).toContain("Say hello")
    expect(gateway.control.recorded(TURNS)).toHaveLength(3)
  })

  test("an answer that breaks off is asked for again, whole, and told once", async () => {
    gateway.control.script({ scenario: "text", settings: { cut: "reset", cutAfterEvents: 4 }, times: 1 })
    const run = await runCodex(gateway, { model: "gpt-5.5", prompt: "Say hello", webSockets })
    expect(run).toMatchObject({ exitCode: 0 })
    expect(lastMessage(run)).toContain("Say hello")
    expect(gateway.control.recorded(TURNS)).toHaveLength(2)
  })
})

describe("the real Codex CLI", () => {
  test("gets a text answer in one upstream request", async () => {
    const run = await runCodex(gateway, { model: "gpt-5.5", prompt: "Say hello" })
    expect(run).toMatchObject({ exitCode: 0 })
    expect(lastMessage(run)).toContain("Say hello")
    expect(gateway.control.recorded(TURNS)).toHaveLength(1)
  })

  test("runs a shell command and reports its output, one upstream request a turn", async () => {
    const run = await runCodex(gateway, { model: "gpt-5.5", prompt: "Please run: echo hello-tool" })
    expect(run).toMatchObject({ exitCode: 0 })
    expect(run.events).toContainEqual(
      expect.objectContaining({
        type: "item.completed",
        item: expect.objectContaining({
          type: "command_execution",
          aggregated_output: expect.stringContaining("hello-tool"),
          exit_code: 0,
        }),
      }),
    )
    expect(lastMessage(run)).toContain("hello-tool")
    expect(gateway.control.recorded(TURNS)).toHaveLength(2)
  })

  test("calls an MCP tool by its namespace and short name", async () => {
    gateway.control.script({
      scenario: "namespace-call",
      settings: { namespace: "mcp__probe", tool: "read_probe", arguments: '{"which":"first"}' },
      times: 1,
    })
    const mcpServer = join(import.meta.dir, "../support/mcp-probe-server.ts")
    const run = await runCodex(gateway, { model: "gpt-5.1-codex", prompt: "Use the probe", mcpServer })
    expect(run).toMatchObject({ exitCode: 0 })
    expect(run.events).toContainEqual(
      expect.objectContaining({
        type: "item.completed",
        item: expect.objectContaining({
          type: "mcp_tool_call",
          server: "probe",
          tool: "read_probe",
          status: "completed",
        }),
      }),
    )
    expect(lastMessage(run)).toContain("marmalade")
  })

  test("applies a patch that comes as a custom tool call", async () => {
    gateway.control.script({ scenario: "custom-call", settings: { tool: "apply_patch", arguments: PATCH }, times: 1 })
    const run = await runCodex(gateway, { model: "gpt-5.5", prompt: "Make the file" })
    expect(run).toMatchObject({ exitCode: 0 })
    expect(await Bun.file(join(run.workFolder, "made-by-patch.txt")).text()).toBe("marmalade\n")
    expect(gateway.control.recorded(TURNS)).toHaveLength(2)
  })

  test("a model of the reduced lane keeps its tools inside the input", async () => {
    const run = await runCodex(gateway, { model: "gpt-5.6-sol", prompt: "Say hello" })
    expect(run).toMatchObject({ exitCode: 0 })
    expect(lastMessage(run)).toContain("Say hello")
    expect(gateway.control.recorded(TURNS)[0]?.body).toMatchObject({
      input: expect.arrayContaining([expect.objectContaining({ type: "additional_tools" })]),
    })
  })

  test("an account that refuses is replaced unseen: the CLI makes one request", async () => {
    gateway.control.script({ scenario: "overload-in-stream", times: 2 })
    const run = await runCodex(gateway, { model: "gpt-5.5", prompt: "Say hello" })
    expect(run).toMatchObject({ exitCode: 0 })
    expect(lastMessage(run)).toContain("Say hello")
    expect(gateway.control.recorded(TURNS)).toHaveLength(3)
    expect(run.stderr).not.toContain("Reconnecting")
  })
})
