/** The Gemini CLI as a column of the table. */

import { isJsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"

import { type GeminiRun, runGemini } from "../../../support/gemini-cli.ts"
import type { Client } from "../cell.ts"
import { errorLine, MCP_SERVER, type ProgramAnswer, type ProgramTurn, runProgram, shellTool } from "./program.ts"

/** The Gemini CLI. */
export const GEMINI: Client = {
  id: "gemini-cli",
  title: "Gemini CLI",
  package: "@google/gemini-cli",
  protocol: "Gemini",
  kind: "program",
  model: "gemini-2.5-pro",
  tool: shellTool("run_shell_command", "command"),
  without: {
    custom: "its protocol has no custom tools",
    structured: "its headless mode takes no schema",
    "image-out": "its headless mode shows no pictures",
    count: "it counts nothing beforehand",
    models: "it lists no models",
  },
  run: (task, place) => runProgram("gemini", task, place, say),
}

async function say(turn: ProgramTurn): Promise<ProgramAnswer> {
  const { task, place, isFirst } = turn
  const mcp = { probe: { command: process.execPath, args: [MCP_SERVER, task.tool?.name ?? ""], trust: true } }
  const prompt = task.image ? `@dot.png ${turn.prompt}` : turn.prompt
  // The simulator shows reasoning at high effort.
  const run = await runGemini(place.gateway, prompt, task.think ? "gemini-2.5-pro-high" : "gemini-2.5-pro", {
    ...place,
    in: turn.in,
    args: isFirst ? [] : ["--resume", "latest"],
    ...(task.tool?.kind === "mcp" && { mcpServers: mcp }),
  })
  const error = objectAt(run.report, "error")
  const isError = run.exitCode !== 0 || error !== undefined
  const usage = usageOf(run)
  return {
    text: run.text,
    ...(isError && { error: errorLine(stringAt(error ?? {}, "message") ?? lastMessage(run.stderr)) }),
    ...(run.isLate && { isLate: true }),
    ...(usage && { usage }),
  }
}

/** Its report goes to the error output when it fails, behind a trace. */
function lastMessage(printed: string): string {
  const messages = [...printed.matchAll(/"message":\s*"((?:[^"\\]|\\.)*)"/g)]
  return messages.at(-1)?.[1] ?? printed.slice(-400)
}

function usageOf(run: GeminiRun): ProgramAnswer["usage"] {
  const models = Object.values(objectAt(objectAt(run.report, "stats") ?? {}, "models") ?? {}).filter(isJsonObject)
  const tokens = models.map(model => objectAt(model, "tokens") ?? {})
  if (tokens.length === 0) return undefined
  const sum = (name: string) => tokens.reduce((total, one) => total + (numberAt(one, name) ?? 0), 0)
  return { inputTokens: sum("prompt"), outputTokens: sum("candidates") + sum("thoughts") }
}
