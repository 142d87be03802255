import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { join } from "node:path"

import { arrayAt, isJsonObject, type JsonObject, objectAt, stringAt } from "#core/json.ts"

import { type ClaudeRun, claudeHome, runClaude } from "../support/claude-code.ts"
import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated-gateway.ts"

setDefaultTimeout(120_000)

const TURNS = { path: "/backend-api/codex/responses" }

/** The smallest PNG there is: one grey dot. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="

let gateway: SimulatedGateway

beforeAll(async () => {
  gateway = await startSimulatedGateway()
})
afterEach(() => {
  gateway.control.clearScripts()
  gateway.control.clearRecorded()
})
afterAll(() => gateway.stop())

/** Bodies of the turns that went upstream, in order. */
function turns(): readonly JsonObject[] {
  return gateway.control.recorded(TURNS).map(({ body }) => (isJsonObject(body) ? body : {}))
}

function items(turn: JsonObject | undefined, type: string): readonly JsonObject[] {
  return (arrayAt(turn ?? {}, "input") ?? []).filter(isJsonObject).filter(item => item["type"] === type)
}

/** What the tools answered, as Claude Code shows it. */
function toolResults(run: ClaudeRun): readonly string[] {
  const blocks = run.events.flatMap(event => arrayAt(objectAt(event, "message") ?? {}, "content") ?? [])
  return blocks.filter(isJsonObject).flatMap(block => (block["type"] === "tool_result" ? [JSON.stringify(block)] : []))
}

describe("the real Claude Code", () => {
  test("gets a text answer in one upstream turn, from the model its own name stands for", async () => {
    const run = await runClaude(gateway, { prompt: "Say hello" })
    expect(run).toMatchObject({ exitCode: 0, result: { is_error: false, stop_reason: "end_turn" } })
    expect(run.text).toContain("Say hello")
    expect(turns()).toHaveLength(1)
    expect(turns()[0]).toMatchObject({ model: "gpt-6-sol", stream: true, store: false })
  })

  test("runs a shell command and reports its output, one upstream turn a turn, thinking included", async () => {
    const run = await runClaude(gateway, { prompt: "Please run: echo hello-tool" })
    expect(run).toMatchObject({ exitCode: 0, result: { num_turns: 2 } })
    expect(run.text).toContain("hello-tool")
    const [first, second] = turns()
    expect(turns()).toHaveLength(2)
    // What the second turn begins with is what the first one was: prompt caches stay warm.
    const before = JSON.stringify(first?.["input"]).slice(0, -1)
    expect(JSON.stringify(second?.["input"]).startsWith(before)).toBe(true)
    expect(second?.["instructions"]).toBe(first?.["instructions"] ?? "")
    expect(second?.["prompt_cache_key"]).toBe(first?.["prompt_cache_key"] ?? "")
  })

  test("brings the model's reasoning back to it, unread", async () => {
    const run = await runClaude(gateway, { prompt: "Please run: echo once", args: ["--model", "gpt-5.5"] })
    const thoughts = run.events
      .flatMap(event => arrayAt(objectAt(event, "message") ?? {}, "content") ?? [])
      .filter(isJsonObject)
      .filter(block => block["type"] === "thinking")
    expect(thoughts[0]).toMatchObject({ thinking: expect.stringContaining("Simulated thought") })
    const [reasoning] = items(turns()[1], "reasoning")
    const sealed = stringAt(reasoning ?? {}, "encrypted_content") ?? "?"
    expect(sealed).toMatch(/^gAAAA/)
    expect(stringAt(thoughts[0] ?? {}, "signature")).toEndWith(sealed)
    expect(reasoning?.["summary"]).toEqual([])
  })

  test("runs two calls of one answer and returns both results", async () => {
    const settings = { calls: 2, tool: "Bash", arguments: '{"command":"echo at-once"}' }
    gateway.control.script({ scenario: "parallel-calls", settings, times: 1 })
    const run = await runClaude(gateway, { prompt: "Do two things" })
    expect(run).toMatchObject({ exitCode: 0, result: { is_error: false } })
    expect(toolResults(run).filter(result => result.includes("at-once"))).toHaveLength(2)
    expect(items(turns()[1], "function_call_output").map(({ output }) => output)).toEqual(["at-once", "at-once"])
    expect(turns()).toHaveLength(2)
  })

  test("reads an image and shows it to the model", async () => {
    const home = await claudeHome(gateway)
    const path = join(home.work, "dot.png")
    await Bun.write(path, Buffer.from(PNG, "base64"))
    const settings = { tool: "Read", arguments: JSON.stringify({ file_path: path, pages: "", offset: 9_999_999 }) }
    gateway.control.script({ scenario: "call", settings, times: 1 })
    const run = await runClaude(gateway, { prompt: "Look at the picture", in: home })
    expect(run).toMatchObject({ exitCode: 0, result: { is_error: false } })
    const [output] = items(turns()[1], "function_call_output")
    expect(output?.["output"]).toContainEqual(
      expect.objectContaining({
        type: "input_image",
        image_url: expect.stringMatching(/^data:image\/(png|jpeg|webp);/),
      }),
    )
  })

  test("goes on with a conversation, compacts it, and goes on with what is left", async () => {
    const home = await claudeHome(gateway)
    const say = (prompt: string) => runClaude(gateway, { prompt, args: ["--continue"], in: home })
    await runClaude(gateway, { prompt: "Say marmalade", in: home })
    await say("Say plums")
    expect(JSON.stringify(turns()[1]?.["input"])).toContain("Say marmalade")

    const summary = "<analysis>short</analysis>\n<summary>They spoke of jam.</summary>"
    gateway.control.script({ scenario: "text", settings: { text: summary } })
    expect(await say("/compact")).toMatchObject({ exitCode: 0 })
    gateway.control.clearScripts()
    gateway.control.clearRecorded()

    const last = await say("Say pears")
    expect(last).toMatchObject({ exitCode: 0, result: { is_error: false } })
    expect(last.text).toContain("Say pears")
    const rest = JSON.stringify(turns()[0]?.["input"])
    expect(rest).toContain("They spoke of jam.")
    // The latest exchange is kept word for word, the one before it lives on in the summary only.
    expect(rest).not.toContain("Say marmalade")
  })

  test("an MCP tool with a long name is called by a short one and answered to the long one", async () => {
    const home = await claudeHome(gateway)
    const server = `a-server-with-a-name-that-leaves-little-room-for-any-tool-${"x".repeat(10)}`
    const config = join(home.home, "mcp.json")
    const entry = { command: process.execPath, args: [join(import.meta.dir, "../support/mcp-probe-server.ts")] }
    await Bun.write(config, JSON.stringify({ mcpServers: { [server]: entry } }))
    gateway.control.script({ scenario: "call", settings: { tool: "mcp__read_probe", arguments: "{}" }, times: 1 })
    const run = await runClaude(gateway, {
      prompt: "Use the probe",
      args: ["--mcp-config", config, "--strict-mcp-config"],
      env: { ENABLE_TOOL_SEARCH: "false" },
      in: home,
    })
    expect(run).toMatchObject({ exitCode: 0, result: { is_error: false } })
    expect(toolResults(run).join()).toContain("marmalade")
    expect(JSON.stringify(run.events)).toContain(`mcp__${server}__read_probe`)
    expect(items(turns()[1], "function_call")[0]).toMatchObject({ name: "mcp__read_probe" })
  })

  test("a sub-agent runs on the account of its session, with a prompt cache of its own", async () => {
    const task = { description: "probe", prompt: "Say marmalade", subagent_type: "claude", run_in_background: false }
    gateway.control.script({ scenario: "call", settings: { tool: "Agent", arguments: JSON.stringify(task) }, times: 1 })
    const run = await runClaude(gateway, { prompt: "Use an agent" })
    expect(run).toMatchObject({ exitCode: 0, result: { is_error: false } })
    expect(run.text).toContain("You asked: Say marmalade")
    const keys = turns().map(turn => turn["prompt_cache_key"])
    expect(keys).toEqual([keys[0], keys[1], keys[0]] as never)
    expect(keys[1]).not.toBe(keys[0] ?? "")
    expect(new Set(gateway.control.recorded(TURNS).map(({ account }) => account)).size).toBe(1)
  })

  test("a tool that it loads late is found by name, and offered from then on", async () => {
    const settings = { tool: "ToolSearch", arguments: '{"query":"select:NotebookEdit"}' }
    gateway.control.script({ scenario: "call", settings, times: 1 })
    expect(await runClaude(gateway, { prompt: "Find the tool" })).toMatchObject({ exitCode: 0 })
    const offered = turns().map(turn =>
      JSON.stringify((arrayAt(turn, "tools") ?? []).filter(isJsonObject).map(tool => tool["name"])),
    )
    expect(offered[0]).not.toContain("NotebookEdit")
    expect(offered.join()).not.toContain("DeferredToolPlaceholder")
    expect(offered[1]).toContain("NotebookEdit")
    expect(items(turns()[1], "function_call_output")[0]?.["output"]).toContain("NotebookEdit")
  })

  test("/context counts tokens for each part without a single upstream turn", async () => {
    const run = await runClaude(gateway, { prompt: "/context" })
    expect(run).toMatchObject({ exitCode: 0, result: { is_error: false } })
    expect(run.text).toMatch(/tokens/i)
    expect(turns()).toHaveLength(0)
  })

  test("its own web search gets results with addresses and titles, although the upstream only cites them", async () => {
    // Both match the first turn, where the later one wins; the second turn has only the search left.
    gateway.control.script({ scenario: "web-search", times: 2 })
    gateway.control.script({
      scenario: "call",
      settings: { tool: "WebSearch", arguments: '{"query":"jam"}' },
      times: 1,
    })
    const run = await runClaude(gateway, { prompt: "Look for jam" })
    expect(run).toMatchObject({ exitCode: 0, result: { is_error: false } })
    expect(toolResults(run).join()).toContain("https://simulator.invalid/found")
    expect(toolResults(run).join()).toContain("A simulated source")
    expect(turns()[1]?.["tools"]).toEqual([{ type: "web_search" }])
  })

  test("its picker gets every model under a name that it shows", async () => {
    const home = await claudeHome(gateway)
    const env = { CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY: "1", CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "" }
    expect(await runClaude(gateway, { prompt: "Say hello", env, in: home })).toMatchObject({ exitCode: 0 })
    const kept = await Bun.file(join(home.home, ".claude/cache/gateway-models.json")).text()
    for (const name of ["claude-opus", "claude-haiku", "claude-code/gpt-5.5"]) expect(kept).toContain(`"${name}"`)
    const run = await runClaude(gateway, { prompt: "Say hello", args: ["--model", "claude-code/gpt-5.5"], in: home })
    expect(run).toMatchObject({ exitCode: 0 })
    expect(turns().at(-1)).toMatchObject({ model: "gpt-5.5" })
  })

  test("a key in its other header is as good, and a model nobody serves is told by its name", async () => {
    const env = { ANTHROPIC_AUTH_TOKEN: "", ANTHROPIC_API_KEY: gateway.key }
    expect(await runClaude(gateway, { prompt: "Say hello", env })).toMatchObject({ exitCode: 0 })
    const lost = await runClaude(gateway, { prompt: "Say hello", env, args: ["--model", "nobody"] })
    expect(lost.exitCode).toBe(1)
    expect(lost.text).toContain("issue with the selected model (nobody)")
  })

  test("a wrong key is told at once, instead of being tried again for minutes", async () => {
    const refusals = () => gateway.process.output().split('"errorKind":"unauthorized"').length - 1
    const before = refusals()
    const env = { ANTHROPIC_AUTH_TOKEN: "sk-wrong", CLAUDE_CODE_MAX_RETRIES: "10" }
    expect(await runClaude(gateway, { prompt: "Say hello", env })).toMatchObject({ exitCode: 1 })
    expect(refusals() - before).toBe(1)
  })

  test("an answer of a given shape comes through its own tool", async () => {
    const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
    const run = await runClaude(gateway, {
      prompt: "Please call the StructuredOutput tool",
      args: ["--json-schema", JSON.stringify(schema)],
    })
    expect(run).toMatchObject({ exitCode: 0, result: { structured_output: { city: expect.any(String) } } })
  })

  test("an account that refuses is replaced unseen: one request of the client, one answer", async () => {
    gateway.control.script({ scenario: "overload-in-stream", times: 2 })
    const run = await runClaude(gateway, { prompt: "Say hello" })
    expect(run).toMatchObject({ exitCode: 0, result: { is_error: false } })
    expect(run.events.filter(event => event["subtype"] === "api_retry")).toEqual([])
    expect(turns()).toHaveLength(3)
  })
})
