/** The Codex CLI as a column of the table, over SSE and over WebSocket. */

import { join } from "node:path"

import { isJsonObject, type JsonObject, numberAt } from "#core/json.ts"

import { type CodexRun, runCodex } from "../../../support/codex-cli.ts"
import type { Client } from "../cell.ts"
import { errorLine, MCP_SERVER, type ProgramAnswer, type ProgramTurn, runProgram, shellTool } from "./program.ts"

const MODEL = "gpt-5.5"

/** Both ways of the Codex CLI. */
export const CODEX: readonly Client[] = [false, true].map(
  (isSocket): Client => ({
    id: isSocket ? "codex-socket" : "codex",
    title: "Codex CLI",
    package: "@openai/codex",
    protocol: isSocket ? "Responses over WebSocket" : "Responses",
    kind: "program",
    model: MODEL,
    tool: shellTool("exec_command", "cmd"),
    without: {
      "image-out": "its headless mode shows no pictures",
      count: "it counts nothing beforehand",
      models: "its headless mode lists no models",
    },
    run: (task, place) => runProgram("codex", task, place, turn => say(turn, isSocket)),
  }),
)

async function say(turn: ProgramTurn, isSocket: boolean): Promise<ProgramAnswer> {
  const { task, prompt, place, isFirst } = turn
  const isMcp = task.tool?.kind === "mcp"
  const args = [
    ...(task.schema ? ["--output-schema", join(turn.in.work, "schema.json")] : []),
    ...(task.image ? ["-i", join(turn.in.work, "dot.png"), "--"] : []),
    ...(isFirst ? [] : ["resume", "--last"]),
  ]
  const run = await runCodex(place.gateway, {
    ...place,
    // Tools of MCP servers are offered at once to models that know no search for tools.
    model: isMcp ? "gpt-5.1-codex" : MODEL,
    prompt,
    in: turn.in,
    args,
    ...(isMcp && { mcpServer: MCP_SERVER, mcpArguments: [task.tool?.name ?? ""] }),
    ...(isSocket && { webSockets: true }),
  })
  return { ...readRun(run), ...(run.isLate && { isLate: true }), facts: { work: turn.in.work } }
}

function readRun(run: CodexRun): Pick<ProgramAnswer, "text" | "error" | "usage"> {
  // Its lines are JSON.
  const events = run.events as unknown as readonly JsonObject[]
  const message = run.events.findLast(event => event.item?.["type"] === "agent_message")?.item?.["text"]
  const failure = events.findLast(event => event["type"] === "turn.failed" || event["type"] === "error")
  const usage = events.findLast(event => event["type"] === "turn.completed")?.["usage"]
  return {
    text: typeof message === "string" ? message : "",
    ...(run.exitCode !== 0 && { error: errorLine(failure === undefined ? run.stderr : JSON.stringify(failure)) }),
    ...(isJsonObject(usage) && {
      usage: { inputTokens: numberAt(usage, "input_tokens") ?? 0, outputTokens: numberAt(usage, "output_tokens") ?? 0 },
    }),
  }
}
