import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { join } from "node:path"

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
