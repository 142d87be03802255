/** Claude Code as a column of the table. */

import { join } from "node:path"

import { arrayAt, isJsonObject, type JsonObject, numberAt, objectAt } from "#core/json.ts"

import { type ClaudeRun, runClaude } from "../../../support/claude-code.ts"
import type { Client } from "../cell.ts"
import {
  errorLine,
  MCP_SERVER,
  type ProgramAnswer,
  type ProgramTurn,
  runProgram,
  SCHEMA,
  shellTool,
} from "./program.ts"

/** Claude Code. */
export const CLAUDE: Client = {
  id: "claude-code",
  title: "Claude Code",
  package: "@anthropic-ai/claude-code",
  protocol: "Messages",
  kind: "program",
  model: "gpt-5.5",
  tool: shellTool("Bash", "command"),
  without: {
    custom: "its protocol has no custom tools",
    "image-out": "its protocol draws no pictures",
    models: "its headless mode lists no models",
  },
  run: (task, place) => runProgram("claude", task, place, say),
}

async function say(turn: ProgramTurn): Promise<ProgramAnswer> {
  const { task, place } = turn
  const isMcp = task.tool?.kind === "mcp"
  const run = await runClaude(place.gateway, {
    ...place,
    prompt: task.action === "count" ? "/context" : turn.prompt,
    args: await flagsOf(turn),
    in: turn.in,
    ...(isMcp && { env: { ENABLE_TOOL_SEARCH: "false" } }),
  })
  return { ...readRun(run), ...(run.isLate && { isLate: true }), facts: { tokens: tokensOf(run.text) } }
}

async function flagsOf({ task, isFirst, in: home }: ProgramTurn): Promise<readonly string[]> {
  const config = join(home.home, "mcp.json")
  const isMcp = task.tool?.kind === "mcp"
  if (isMcp) {
    const entry = { command: process.execPath, args: [MCP_SERVER, task.tool?.name ?? ""] }
    await Bun.write(config, JSON.stringify({ mcpServers: { probe: entry } }))
  }
  return [
    ...(task.think ? ["--model", "gpt-5.5"] : []),
    ...(isFirst ? [] : ["--continue"]),
    ...(isMcp ? ["--mcp-config", config, "--strict-mcp-config"] : []),
    ...(task.schema ? ["--json-schema", JSON.stringify(SCHEMA)] : []),
  ]
}

function readRun(run: ClaudeRun): Pick<ProgramAnswer, "text" | "error" | "usage"> {
  const isError = run.exitCode !== 0 || run.result["is_error"] === true
  const object = run.result["structured_output"]
  const usage = usageOf(run)
  const text = isJsonObject(object) ? JSON.stringify(object) : run.text
  return {
    text: isError ? "" : text,
    ...(isError && { error: errorLine(run.text || run.stderr) }),
    ...(usage && { usage }),
  }
}

/** The window of context as `/context` shows it: so many thousand tokens in use. */
function tokensOf(text: string): number {
  const shown = /([\d.]+)(k?)\s*\/\s*[\d.]+[km]/i.exec(text)
  return shown?.[1] === undefined ? 0 : Math.round(Number(shown[1]) * (shown[2] === "" ? 1 : 1000))
}

/** Anthropic's protocol counts what came from a cache apart. */
function usageOf(run: ClaudeRun): ProgramAnswer["usage"] {
  const usage: JsonObject | undefined = objectAt(run.result, "usage")
  if (usage === undefined || arrayAt(run.result, "errors") !== undefined) return undefined
  const names = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"]
  const inputTokens = names.reduce((sum, name) => sum + (numberAt(usage, name) ?? 0), 0)
  return { inputTokens, outputTokens: numberAt(usage, "output_tokens") ?? 0 }
}
